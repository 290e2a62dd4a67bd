import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge, parseAssignment } from "../src/Config.ts"
import { decodeExperiment } from "../src/Experiment.ts"
import { recipes } from "../src/Recipe.ts"

const problem = (change: unknown) =>
  Effect.map(
    Effect.flip(decodeExperiment(merge(recipes.quickstart.experiment, change))),
    (error) => error.message
  )

describe("an experiment", () => {
  it.effect.each(Object.entries(recipes))(
    "%s is complete, but for the data's folder",
    ([name, { experiment: input }]) =>
      Effect.gen(function* () {
        const experiment = yield* decodeExperiment(merge(input, { data: { directory: "somewhere" } }))
        assert.strictEqual(experiment.name, name)
        assert.strictEqual(experiment.seed, 1)
        assert.strictEqual(experiment.train.optimizer._tag, input.train.optimizer?._tag ?? "Sgd")
        // What is decoded and written as config.json decodes to itself.
        assert.deepStrictEqual(yield* decodeExperiment(JSON.parse(JSON.stringify(experiment))), experiment)
      })
  )

  it.effect("names every wrong and unknown key, in one line", () =>
    Effect.gen(function* () {
      const message = yield* problem({
        train: { epochs: 1.5, batchsize: 3, learningRate: -1 },
        model: { _tag: "WideResNet", depth: 15, widenFactor: 2 },
        augment: [{ _tag: "RandomCorp" }]
      })
      assert.match(message, /train\.epochs: expected an integer, got 1\.5/)
      assert.match(message, /train\.batchsize is not a known key/)
      assert.match(message, /train\.learningRate: .*got -1/)
      assert.match(message, /model\.depth: .*6n \+ 4.*15/)
      assert.match(message, /augment\.0/)
      assert.notMatch(message, /\n/)
    })
  )

  it.effect("names what contradicts itself in a training", () =>
    Effect.gen(function* () {
      const message = yield* problem({
        train: {
          epochs: 3,
          batchSize: 64,
          swa: { start: 5 },
          sam: { rho: 0.05 },
          gradientAccumulationSteps: 5
        }
      })
      assert.match(message, /train\.swa\.start: expected an epoch of the run's 3, got 5/)
      assert.match(
        message,
        /train\.gradientAccumulationSteps: expected a divisor of the batch size 64, got 5/
      )
      assert.match(message, /train\.gradientAccumulationSteps: expected 1 with SAM.*, got 5/)
    })
  )

  it.effect("refuses to recompute blocks where there are none", () =>
    Effect.gen(function* () {
      const train = { gradientCheckpointing: true }
      assert.match(
        yield* problem({ train }),
        /train\.gradientCheckpointing: expected false.*SimpleCnn has no blocks.*got true/
      )
      const model = { _tag: "WideResNet", depth: 10, widenFactor: 1 }
      const experiment = yield* decodeExperiment(merge(recipes.quickstart.experiment, { train, model }))
      assert.isTrue(experiment.train.gradientCheckpointing)
    })
  )

  it.effect("says what is missing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decodeExperiment({ name: "x", data: { dataset: "cifar10" } }))
      assert.match(error.message, /augment is missing/)
      assert.match(error.message, /train is missing/)
      assert.match(error.message, /data/)
    })
  )
})

it.effect("what docs/training.md shows is valid", () =>
  Effect.gen(function* () {
    const text = readFileSync(new URL("../docs/training.md", import.meta.url), "utf8")
    const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1]))
    const values = [...text.matchAll(/`"(\w+)": (\{[^`]*\})`/g)].map((match) => ({
      [match[1]]: JSON.parse(match[2])
    }))
    assert.isAtLeast(blocks.length + values.length, 6)
    const model = { _tag: "WideResNet", depth: 10, widenFactor: 1 }
    const base = { epochs: 200, batchSize: 128, learningRate: 0.1, schedule: { _tag: "Cosine" } }
    for (const train of [...blocks, ...values]) {
      const { experiment } = recipes.quickstart
      yield* decodeExperiment({ ...experiment, model, train: { ...base, ...train } })
    }
  })
)

describe("laying over", () => {
  it.effect("an assignment reaches one value", () =>
    Effect.gen(function* () {
      const assigned = yield* parseAssignment("train.schedule.warmupEpochs=3")
      assert.deepStrictEqual(
        merge({ train: { epochs: 1, schedule: { _tag: "Cosine", warmupEpochs: 1 } } }, assigned),
        {
          train: { epochs: 1, schedule: { _tag: "Cosine", warmupEpochs: 3 } }
        }
      )
      assert.deepStrictEqual(yield* parseAssignment("name=a=b"), { name: "a=b" })
      assert.deepStrictEqual(yield* parseAssignment("augment=[]"), { augment: [] })
      assert.match((yield* Effect.flip(parseAssignment("epochs"))).message, /key=value/)
    })
  )

  it.effect("keys that every JavaScript object has are as unknown as any other", () =>
    Effect.gen(function* () {
      for (const key of ["__proto__", "constructor", "train.__proto__"]) {
        const assigned = yield* parseAssignment(`${key}.x=1`)
        assert.match(yield* problem(assigned), new RegExp(`${key.replace(".", "\\.")} is not a known key`))
      }
      const { x } = merge({}, yield* parseAssignment("__proto__.x=1")) as { x?: unknown }
      assert.isUndefined(x)
    })
  )

  it("another kind of thing replaces the whole", () => {
    const base = { model: { _tag: "SimpleCnn", width: 16 } }
    const over = { model: { _tag: "WideResNet", depth: 16, widenFactor: 1 } }
    assert.deepStrictEqual(merge(base, over), over)
  })
})
