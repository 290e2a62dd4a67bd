/** Trainings of a few seconds. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { Experiment } from "../../src/Config.ts"
import { channelStatistics } from "../../src/Data/Statistics.ts"
import { Dataset, type LoadedDataset } from "../../src/Data.ts"
import { Device } from "../../src/Device.ts"
import { draws } from "../../src/Random.ts"
import { WarmUp } from "../../src/Train/Probe/Forecast.ts"
import { openRun, RunFolder } from "../../src/Train/Run/RunFolder.ts"
import { type TrainOptions, train } from "../../src/Train.ts"
import { heardSteps } from "./Events.ts"

const SIDE = 8
const CLASSES = 4

/** Images of 8×8 pixels in noise around a grey, whose brightness and hue say the class. */
const coloured = (count: number, stream: string) => {
  const random = draws(1, stream)
  const pixels = new Uint8Array(new SharedArrayBuffer(count * SIDE * SIDE * 3))
  const labels = Uint16Array.from({ length: count }, (_, i) => i % CLASSES)
  for (let i = 0; i < pixels.length; i++) {
    const label = labels[Math.floor(i / (SIDE * SIDE * 3))]
    const raised = i % 3 === label % 3 || label === 3
    pixels[i] = 70 + random.int(80) + (raised ? 40 : 0)
  }
  return { images: { pixels, count, height: SIDE, width: SIDE }, labels }
}

/** 96 training images, some to validate on, and 40 test images. */
export const colours = (validation = 32): LoadedDataset => {
  const train = coloured(96 + validation, "train")
  const test = coloured(40, "test")
  const indices = Uint32Array.from(train.labels.keys())
  return {
    name: "colours",
    classes: ["red", "green", "blue", "white"],
    train: { ...train, indices: indices.slice(0, 96) },
    validation: { ...train, indices: indices.slice(96) },
    test: { ...test, indices: Uint32Array.from(test.labels.keys()) },
    ...channelStatistics(train.images),
    fingerprint: `colours ${validation}`
  }
}

/** A folder until the scope ends. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-run-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** Trains on a data set. */
export const runsOn = (dataset: LoadedDataset) => {
  /** What a run needs besides its folder. */
  const layers = Layer.mergeAll(
    Device.layer("cpu"),
    Layer.succeed(Dataset, dataset),
    Layer.succeed(WarmUp, 0)
  )

  /** Trains a new run in a folder, or continues the one that is there. */
  const run = (
    experiment: Experiment,
    directory: string,
    { resume = false, ...options }: Partial<TrainOptions> & { readonly resume?: boolean } = {}
  ) =>
    train(experiment, { command: "test", ...options }).pipe(
      Effect.provide(layers),
      Effect.provide(resume ? RunFolder.resume(directory) : RunFolder.create({ directory }))
    )

  /** Trains until interrupted after a number of steps of this process. */
  const interrupted = (experiment: Experiment, directory: string, steps: number, resume: boolean) =>
    Effect.gen(function* () {
      let left = steps
      let stop = (): void => {}
      const reached = new Promise<void>((resolve) => {
        stop = resolve
      })
      const step = () => {
        left--
        if (left === 0) stop()
      }
      const fiber = yield* Effect.forkChild(run(experiment, directory, { resume }).pipe(heardSteps(step)))
      yield* Effect.promise(() => reached)
      yield* Fiber.interrupt(fiber)
    })

  return { layers, run, interrupted }
}

/** The bytes of the newest checkpoint's tensors. */
export const newest = (directory: string): Buffer => {
  const folder = path.join(directory, "checkpoints")
  const files = readdirSync(folder).filter((name) => /^step-\d+\.safetensors$/.test(name))
  return readFileSync(path.join(folder, files.sort()[files.length - 1]))
}

/** The epochs' numbers without their times. */
export const curves = (directory: string) =>
  Effect.map(openRun(directory).metrics, (lines) =>
    lines.map(({ imagesPerSecond: _, seconds: __, waitShare: ___, ...numbers }) => numbers)
  )
