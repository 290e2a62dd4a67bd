import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config.ts"
import { shapes } from "../../src/Data/Shapes.ts"
import { channelStatistics } from "../../src/Data/Statistics.ts"
import type { LoadedDataset } from "../../src/Data.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { makeNetwork } from "../../src/Model.ts"
import { recipes } from "../../src/Recipe.ts"
import { smokeDataset, smokeExperiment } from "../../src/Train/Probe/DryRun.ts"
import { describeCompilation, describeForecast, forecast } from "../../src/Train/Probe/Forecast.ts"

const { classes, test, train } = shapes({ train: 200, test: 50 })
const indices = Uint32Array.from(train.labels.keys())
const dataset: LoadedDataset = {
  name: "few shapes",
  classes,
  train: { ...train, indices: indices.slice(0, 140) },
  validation: { ...train, indices: indices.slice(140) },
  test: { ...test, indices: Uint32Array.from(test.labels.keys()) },
  ...channelStatistics(train.images),
  fingerprint: "few"
}
const size = { height: 32, width: 32 }

/** A recipe with some of its training changed. */
const experiment = (name: string, train: Record<string, unknown> = {}) =>
  decodeExperiment(merge(recipes[name].experiment, { data: { directory: "somewhere" }, train }))

describe("a forecast", () => {
  it.effect("counts training, evaluation and checkpoints", () =>
    Effect.gen(function* () {
      const { train } = yield* experiment("quickstart", { epochs: 10, evaluateEvery: 3, keep: 2 })
      const network = makeNetwork({ _tag: "SimpleCnn", width: 1 }, { classes: 10, size })
      const { bytes, seconds } = forecast({ network, train, dataset, imagesPerSecond: 10 })
      // Four evaluations of two kinds of weights on 60 images, and one on 50.
      assert.closeTo(seconds, (10 * 140 + (4 * 2 * 60 + 50) / 3) / 10, 1e-9)
      const parameters = 9 * (3 + 1 + 2 + 4 + 8 + 16) + 2 * (1 + 1 + 2 + 2 + 4 + 4) + 4 * 10 + 10
      assert.strictEqual(network.parameters, parameters)
      const all = parameters + 2 * (1 + 1 + 2 + 2 + 4 + 4)
      assert.strictEqual(bytes, 4 * (2 * (2 * all + parameters) + 2 * all))
      // Slow weights are in every state, and not in the best checkpoint.
      const { train: slow } = yield* experiment("quickstart", { keep: 2, lookahead: {} })
      const more = forecast({ network, train: slow, dataset, imagesPerSecond: 10 }).bytes
      assert.strictEqual(more, bytes + 4 * 2 * all)
    })
  )

  it.effect("warns where it is longer than a day, and only there", () =>
    Effect.gen(function* () {
      const network = makeNetwork(
        { _tag: "PyramidNet", block: "bottleneck", depth: 272, alpha: 200 },
        { classes: 10, size }
      )
      const { train } = yield* experiment("part6-pyramidnet272")
      const lines = (imagesPerSecond: number) =>
        describeForecast({ network, train, dataset, imagesPerSecond }).join("\n")
      assert.include(lines(100), "26.2 M parameters")
      assert.notInclude(lines(100), "longer than a day")
      assert.include(lines(2), "longer than a day")
    })
  )
})

describe("what is said before the first step", () => {
  it.effect.each([
    { device: "cpu", xla: true, byXla: false },
    { device: "gpu:0", xla: true, byXla: true },
    { device: "gpu:0", xla: false, byXla: false }
  ])("on $device with train.xla=$xla tells how long XLA takes: $byXla", ({ byXla, device, xla }) =>
    Effect.gen(function* () {
      const { train } = yield* experiment("quickstart", { xla })
      assert.strictEqual(describeCompilation(device, train).includes("train.xla=false"), byXla)
    })
  )
})

describe("a smoke run", () => {
  it.effect.each(Object.keys(recipes))(
    "of %s is a valid experiment of two steps with the same network",
    (name) =>
      Effect.gen(function* () {
        const whole = yield* experiment(name)
        const smoke = smokeExperiment(whole)
        assert.deepStrictEqual(yield* decodeExperiment(smoke), smoke)
        assert.deepStrictEqual([smoke.model, smoke.augment], [whole.model, whole.augment])
        const few = smokeDataset(dataset, smoke)
        assert.strictEqual(few.train.indices.length, 2 * smoke.train.batchSize)
        assert.isAtMost(few.test.indices.length, 32)
      })
  )

  it.effect("takes images from all over a data set, of every class", () =>
    Effect.gen(function* () {
      const byClass = (of: typeof train): Uint32Array =>
        Uint32Array.from(of.labels.keys()).sort((a, b) => of.labels[a] - of.labels[b])
      const sorted = {
        ...dataset,
        train: { ...train, indices: byClass(train) },
        validation: { ...train, indices: Uint32Array.of(7, 3, 5) },
        test: { ...test, indices: byClass(test) }
      }
      const few = smokeDataset(sorted, smokeExperiment(yield* experiment("quickstart")))
      for (const { indices, labels } of [few.train, few.test]) {
        assert.strictEqual(new Set(indices).size, 32)
        assert.strictEqual(new Set(Array.from(indices, (i) => labels[i])).size, classes.length)
      }
      assert.deepStrictEqual(few.validation.indices, Uint32Array.of(7, 3, 5))
    })
  )
})
