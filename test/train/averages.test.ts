import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { WEIGHTS } from "../../src/Config.ts"
import { schemas } from "../../src/Experiment.ts"
import { makeNetwork } from "../../src/Model.ts"
import {
  averageNamed,
  averagesOf,
  coefficientsAt,
  judged,
  weightsKept
} from "../../src/Train/Averages/Averages.ts"

const trainOf = (averages: object) =>
  Effect.gen(function* () {
    return yield* decodeStrictly((yield* schemas).train, {
      ...{ epochs: 4, batchSize: 8, learningRate: 0.1, schedule: { _tag: "Cosine" } },
      ...averages
    })
  })

it.effect("a run keeps the averages that its configuration has, and is judged by the last of them", () =>
  Effect.gen(function* () {
    const plain = yield* trainOf({})
    assert.deepStrictEqual([weightsKept(plain), judged(plain)], [["raw"], "raw"])
    const slow = yield* trainOf({ lookahead: { k: 2 }, ema: { decay: 0.9 } })
    assert.deepStrictEqual([weightsKept(slow), judged(slow)], [["raw", "ema"], "ema"])
    // Slow weights change those that the average is of, and so they come first.
    assert.deepStrictEqual(
      averagesOf(slow).map(({ name }) => name),
      ["raw", "lookahead", "ema"]
    )
    const all = yield* trainOf({ lookahead: { k: 2 }, ema: { decay: 0.9 }, swa: { start: 1 } })
    assert.deepStrictEqual([weightsKept(all), judged(all)], [[...WEIGHTS], "swa"])
  })
)

it.effect("each is kept in places of its own, and starts at the weights", () =>
  Effect.gen(function* () {
    const train = yield* trainOf({ lookahead: { k: 2 }, ema: { decay: 0.9 }, swa: { start: 1 } })
    const network = makeNetwork(
      { _tag: "SimpleCnn", width: 1 },
      { classes: 4, size: { height: 8, width: 8 } }
    )
    const weights = network.init(1)
    const places = new Set<string>()
    for (const { init, keptAs } of averagesOf(train)) {
      const start = init(network, weights)
      for (const { name, role } of network.tensors) {
        assert.isFalse(places.has(keptAs(name)))
        places.add(keptAs(name))
        if (role !== "constant") assert.strictEqual(start[keptAs(name)], weights[name])
      }
    }
    assert.deepStrictEqual(
      WEIGHTS.map((name) => averageNamed(name).name),
      [...WEIGHTS]
    )
  })
)

it.effect("a step has a coefficient for each that is updated in every step", () =>
  Effect.gen(function* () {
    const train = yield* trainOf({ lookahead: { k: 2, alpha: 0.5 }, ema: { decay: 0.9 }, swa: { start: 1 } })
    const at = (step: number) => coefficientsAt(train, { step, stepsPerEpoch: 5, steps: 20 })
    assert.deepStrictEqual(at(0), { lookahead: 0, ema: 0.1 })
    assert.deepStrictEqual(at(1), { lookahead: 0.5, ema: 2 / 11 })
    // The last step of an epoch.
    assert.strictEqual(at(4).lookahead, 0.5)
    assert.deepStrictEqual(
      coefficientsAt(yield* trainOf({ swa: { start: 1 } }), { step: 0, stepsPerEpoch: 5, steps: 20 }),
      {}
    )
  })
)
