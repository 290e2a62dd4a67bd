import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config.ts"
import { shapes } from "../../src/Data/Shapes.ts"
import { channelStatistics } from "../../src/Data/Statistics.ts"
import type { LoadedDataset } from "../../src/Data.ts"
import type { Event } from "../../src/Events.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { evaluate } from "../../src/Train.ts"
import { heard, heardTexts } from "../support/Events.ts"
import { curves, newest, runsOn, temporary } from "../support/Runs.ts"

/** 256 training, 64 validation and 50 test images; eight steps an epoch. */
const small = (): LoadedDataset => {
  const { classes, test, train } = shapes({ train: 320, test: 50 })
  const indices = Uint32Array.from(train.labels.keys())
  return {
    name: "small shapes",
    classes,
    train: { ...train, indices: indices.slice(0, 256) },
    validation: { ...train, indices: indices.slice(256) },
    test: { ...test, indices: Uint32Array.from(test.labels.keys()) },
    ...channelStatistics(train.images),
    fingerprint: "small"
  }
}
const dataset = small()

const input: ExperimentInput = {
  name: "small",
  seed: 3,
  data: { dataset: "shapes" },
  augment: [
    { _tag: "RandomCrop", padding: 4, mode: "reflect" },
    { _tag: "Cutout", length: 8 }
  ],
  model: { _tag: "PyramidNet", depth: 11, alpha: 6, shakeDrop: {} },
  train: {
    epochs: 3,
    batchSize: 32,
    learningRate: 0.1,
    schedule: { _tag: "Cosine", warmupEpochs: 1 },
    clipGradNorm: 1,
    labelSmoothing: 0.1,
    ema: { decay: 0.9 }
  }
}
const experiment = decodeExperiment(input)

const { interrupted, layers, run } = runsOn(dataset)

describe("a run", () => {
  it.live("that is interrupted twice and continued ends with the bits of one that is not", () =>
    Effect.gen(function* () {
      const config = yield* experiment
      const [whole, parts] = [yield* temporary, yield* temporary]
      const { result } = yield* run(config, whole)
      // In the middle of the first epoch, and of the third.
      yield* interrupted(config, parts, 5, false)
      yield* interrupted(config, parts, 14, true)
      const resumed = yield* run(config, parts, { resume: true, command: "test --resume" })
      assert.isTrue(newest(whole).equals(newest(parts)))
      assert.deepStrictEqual(yield* curves(parts), yield* curves(whole))
      assert.strictEqual((yield* curves(whole)).length, 3)
      const { trainSeconds: _, ...numbers } = result
      const { trainSeconds: __, ...resumedNumbers } = resumed.result
      assert.deepStrictEqual(resumedNumbers, numbers)
      assert.strictEqual(result.images, 50)
    })
  )

  it.live("with the same seed has the same bits, with another one others", () =>
    Effect.gen(function* () {
      const config = yield* decodeExperiment(merge(input, { train: { epochs: 1 } }))
      const [a, b, c] = [yield* temporary, yield* temporary, yield* temporary]
      const events: Array<Event> = []
      const { result } = yield* run(config, a).pipe(heard((event) => events.push(event)))
      const told = new Set(events.map(({ _tag }) => _tag))
      told.delete("Message")
      assert.deepStrictEqual(
        [...told],
        ["Compiling", "Compiled", "Started", "Step", "CheckpointSaved", "Epoch", "Finished"]
      )
      assert.deepStrictEqual(events.at(-1), { _tag: "Finished", directory: a, accuracy: result.accuracy })
      yield* run(config, b)
      yield* run({ ...config, seed: 4 }, c)
      assert.isTrue(newest(a).equals(newest(b)))
      assert.isFalse(newest(a).equals(newest(c)))
    })
  )

  it.live("falls back to the checkpoint before a damaged one, says so, and ends with the same bits", () =>
    Effect.gen(function* () {
      const config = yield* experiment
      const [whole, damaged] = [yield* temporary, yield* temporary]
      yield* run(config, whole)
      // Past the second epoch's checkpoint: there are two.
      yield* interrupted(config, damaged, 20, false)
      const folder = path.join(damaged, "checkpoints")
      const last = readdirSync(folder)
        .filter((name) => /^step-\d+\.safetensors$/.test(name))
        .sort()
        .pop()!
      truncateSync(path.join(folder, last), 1000)
      const said: Array<string> = []
      yield* run(config, damaged, { resume: true }).pipe(heardTexts((text) => said.push(text)))
      assert.isTrue(
        said.some((text) => text.includes(last)),
        said.join("\n")
      )
      assert.isTrue(newest(whole).equals(newest(damaged)))
      assert.deepStrictEqual(yield* curves(damaged), yield* curves(whole))
    })
  )

  it.live("stops at a loss that is not finite, names the step and keeps the last checkpoint", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const schedule = { _tag: "LongTraining", warmupEpochs: 0, etaMin: 1e30 }
      const config = yield* experiment
      yield* interrupted(config, directory, 12, false)
      const before = newest(directory)
      const wild = yield* decodeExperiment(
        merge(input, { train: { schedule, learningRate: 1e30, clipGradNorm: 1e30 } })
      )
      const file = path.join(directory, "config.json")
      const written = JSON.parse(readFileSync(file, "utf8"))
      writeFileSync(file, JSON.stringify({ ...written, experiment: wild }))
      const error = yield* Effect.flip(run(wild, directory, { resume: true }))
      assert.strictEqual(error._tag, "NonFiniteLoss")
      assert.match(error.message, /not finite at step 1[34] \(epoch 2\).*checkpoint, of step 12/)
      assert.isTrue(newest(directory).equals(before))
    })
  )

  it.live("is not continued under another configuration; the difference is shown", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const config = yield* experiment
      yield* interrupted(config, directory, 3, false)
      const other = yield* decodeExperiment(merge(input, { train: { epochs: 5 }, model: { alpha: 7 } }))
      const error = yield* Effect.flip(run(other, directory, { resume: true }))
      assert.strictEqual(error._tag, "RunError")
      assert.match(error.message, /model\.alpha: 6 → 7/)
      assert.match(error.message, /train\.epochs: 3 → 5/)
    })
  )

  it.live("that cannot be compiled, or has no whole batch, leaves nothing behind", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporary, "run")
      const large = yield* decodeExperiment(merge(input, { train: { batchSize: 257 } }))
      const error = yield* Effect.flip(run(large, directory))
      assert.match(error.message, /train\.batchSize is 257, but small shapes has only 256 training images/)
      const few = yield* decodeExperiment(merge(input, { model: { classes: 3 } }))
      assert.match((yield* Effect.flip(run(few, directory))).message, /model\.classes is 3/)
      assert.isFalse(existsSync(directory))
    })
  )

  it.live("is evaluated again with the same numbers", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const { result } = yield* run(yield* experiment, directory)
      const again = yield* evaluate(directory, "test", { weights: "ema" }).pipe(Effect.provide(layers))
      assert.strictEqual(again.accuracy, result.accuracy)
      assert.strictEqual(again.loss, result.loss)
      const raw = yield* evaluate(directory, "validation", { weights: "raw" }).pipe(Effect.provide(layers))
      assert.strictEqual(raw.images, 64)
    })
  )
})
