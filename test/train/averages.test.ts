import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { schemas } from "../../src/Experiment.ts"
import { makeNetwork } from "../../src/Model.ts"
import {
  averages,
  averagesOf,
  coefficientsAt,
  evaluatedAs,
  inOneEpoch,
  judged,
  weightsKept
} from "../../src/Train/Averages/Averages.ts"

const trainOf = (change: object) =>
  Effect.gen(function* () {
    return yield* decodeStrictly((yield* schemas).train, {
      ...{ epochs: 4, batchSize: 8, learningRate: 0.1, schedule: { _tag: "Cosine" } },
      ...change
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
    assert.deepStrictEqual([weightsKept(all), judged(all)], [["raw", "ema", "swa"], "swa"])
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
  })
)

it.effect("names in a configuration are those of averages that are evaluated", () =>
  Effect.gen(function* () {
    const distillation = (weights: string) => ({ distillation: { teachers: [{ run: "a", weights }] } })
    for (const name of ["raw", ...averages.flatMap(({ evaluated, name }) => (evaluated ? [name] : []))]) {
      yield* trainOf(distillation(name))
    }
    for (const name of ["lookahead", "mean"]) {
      const { message } = yield* Effect.flip(trainOf(distillation(name)))
      assert.include(message, "distillation.teachers")
    }
    const late = yield* Effect.flip(trainOf({ swa: { start: 5 } }))
    assert.include(late.message, "swa.start")
    assert.include(late.message, "expected an epoch of the run's 4")
    assert.strictEqual(evaluatedAs(yield* trainOf({ swa: { start: 4 } }), "swa")?.name, "swa")
    assert.isUndefined(evaluatedAs(yield* trainOf({ lookahead: {} }), "lookahead"))
  })
)

it.effect("a trial of one epoch has each of a training's averages", () =>
  Effect.gen(function* () {
    const train = yield* trainOf({ ema: { decay: 0.9 }, swa: { start: 3, every: 2 } })
    assert.deepStrictEqual(inOneEpoch(train), { ema: { decay: 0.9 }, swa: { start: 1, every: 1 } })
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
