/** A short run on a few drawn images, for tests of what is done with runs. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { merge } from "../../src/Config.ts"
import { shapes } from "../../src/Data/Shapes.ts"
import { channelStatistics } from "../../src/Data/Statistics.ts"
import { Dataset, type LoadedDataset, type Split } from "../../src/Data.ts"
import { Device } from "../../src/Device.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { WarmUp } from "../../src/Train/Probe/Forecast.ts"
import { RunFolder, train } from "../../src/Train.ts"

const input: ExperimentInput = {
  name: "small",
  data: { dataset: "shapes" },
  augment: [],
  model: { _tag: "WideResNet", depth: 10, widenFactor: 1 },
  train: {
    epochs: 1,
    batchSize: 32,
    learningRate: 0.1,
    schedule: { _tag: "Cosine", warmupEpochs: 0 },
    ema: { decay: 0.5 }
  }
}

/** 96 training, 32 validation and 20 test images. */
export const smallDataset = (): LoadedDataset => {
  const { classes, test, train } = shapes({ train: 128, test: 20 })
  const indices = Uint32Array.from(train.labels.keys())
  return {
    name: "small shapes",
    classes,
    train: { ...train, indices: indices.slice(0, 96) },
    validation: { ...train, indices: indices.slice(96) },
    test: { ...test, indices: Uint32Array.from(test.labels.keys()) },
    ...channelStatistics(train.images),
    fingerprint: "small"
  }
}

/** Every fourth pixel of each row and column of those images, 8×8: networks cost a sixteenth, and have the same weights. */
export const tinyDataset = (): LoadedDataset => {
  const { test, train, validation, ...rest } = smallDataset()
  const few = (split: Split): Split => {
    const { count, height, pixels, width } = split.images
    const [rows, columns] = [height / 4, width / 4]
    const kept = new Uint8Array(new SharedArrayBuffer(count * rows * columns * 3))
    for (let i = 0, at = 0; i < count * rows; i++)
      for (let x = 0; x < columns; x++)
        for (let c = 0; c < 3; c++) kept[at++] = pixels[(4 * i * width + 4 * x) * 3 + c]
    return { ...split, images: { pixels: kept, count, height: rows, width: columns } }
  }
  return { ...rest, train: few(train), validation: few(validation), test: few(test), fingerprint: "tiny" }
}

/** A folder that is removed with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** What a run needs besides its folder, on the CPU. */
export const servicesFor = (dataset: LoadedDataset) =>
  Layer.mergeAll(Device.layer("cpu"), Layer.succeed(Dataset, dataset), Layer.succeed(WarmUp, 0))

/** Trains in a folder, with some values of the experiment changed; gives the test images' logits too. */
export const smallRun = (directory: string, change: unknown = {}) =>
  Effect.flatMap(decodeExperiment(merge(input, change)), (experiment) =>
    train(experiment, { command: "test" }).pipe(Effect.provide(RunFolder.create({ directory })))
  )
