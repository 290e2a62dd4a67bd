import * as fs from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseSeeds } from "../../src/Cli/Train/SeedsFlag.ts"
import { Device } from "../../src/Device.ts"
import { trainSeeds } from "../../src/Ensemble.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { meanInterval } from "../../src/Train/Run/Interval.ts"
import { openRun } from "../../src/Train.ts"
import { servicesFor, smallRun, temporaryFolder, tinyDataset } from "../support/Run.ts"

const asked = {
  ...{ name: "small", data: { dataset: "shapes" }, augment: [] },
  // Dropout and ShakeDrop draw within the program.
  model: { _tag: "WideResNet", depth: 10, widenFactor: 1, dropRate: 0.3, shakeDrop: {} },
  train: {
    ...{ epochs: 1, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine", warmupEpochs: 0 } },
    ema: { decay: 0.5 }
  }
} as const

it.live("seeds share a program, and each run has the bits that it has alone", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const root = path.join(folder, "seeds")
    const { model } = asked
    yield* smallRun(path.join(folder, "alone"), { model, seed: 2 })
    const device = yield* Device
    let compiled = 0
    const counted: typeof device = {
      ...device,
      compile: (...options) => {
        compiled++
        return device.compile(...options)
      }
    }
    const experiment = yield* decodeExperiment(asked)
    const run = (seeds: ReadonlyArray<number>) =>
      trainSeeds(experiment, seeds, { root, command: "test" }).pipe(Effect.provideService(Device, counted))
    const first = yield* run([1, 2])
    assert.strictEqual(compiled, 1)
    const [alone, among] = [path.join(folder, "alone"), path.join(root, "seed-2")].map(openRun)
    const weights = (reader: typeof alone) =>
      Effect.map(reader.checkpoints.find("latest"), ({ checkpoint }) => Option.getOrThrow(checkpoint).tensors)
    assert.deepStrictEqual(yield* weights(among), yield* weights(alone))
    const accuracies = first.runs.map(({ accuracy }) => accuracy)
    assert.strictEqual(accuracies[1], (yield* alone.result).accuracy)
    assert.strictEqual(first.accuracy.mean, (accuracies[0] + accuracies[1]) / 2)

    // Finished runs are not trained again.
    const before = fs.statSync(path.join(root, "seed-1", "result.json")).mtimeMs
    const more = yield* run([1, 2, 3])
    assert.deepStrictEqual(more.runs.slice(0, 2), first.runs)
    assert.strictEqual(fs.statSync(path.join(root, "seed-1", "result.json")).mtimeMs, before)
    assert.deepStrictEqual(JSON.parse(fs.readFileSync(path.join(root, "seeds.json"), "utf8")), more)
  }).pipe(Effect.provide(servicesFor(tinyDataset())), Effect.scoped)
)

it("seeds are numbers and ranges", () => {
  assert.deepStrictEqual(parseSeeds("1-3,11, 2"), [1, 2, 3, 11])
  assert.deepStrictEqual(parseSeeds("7"), [7])
  for (const wrong of ["", "a", "3-1", "1-", "-1", "1.5", "1-20000", "4294967296", "1,,2"])
    assert.isUndefined(parseSeeds(wrong), wrong)
})

it("means have Student's interval", () => {
  // R: t.test(c(0.94, 0.95, 0.93, 0.96))
  const { deviation, interval, mean } = meanInterval([0.94, 0.95, 0.93, 0.96])
  assert.closeTo(mean, 0.945, 1e-12)
  assert.closeTo(deviation ?? 0, 0.0129099, 1e-6)
  assert.closeTo(interval?.[0] ?? 0, 0.924457, 1e-5)
  assert.closeTo(interval?.[1] ?? 0, 0.965543, 1e-5)
  // qt(0.975, 49) is 2.009575.
  const many = meanInterval(Array.from({ length: 50 }, (_, i) => i % 2))
  const half = ((many.interval?.[1] ?? 0) - (many.interval?.[0] ?? 0)) / 2
  assert.closeTo((half * Math.sqrt(50)) / (many.deviation ?? 1), 2.009575, 1e-3)
  assert.deepStrictEqual(meanInterval([0.5]), { mean: 0.5, deviation: null, interval: null })
})
