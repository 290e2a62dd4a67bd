/** Folders as trainings leave them, without a training. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { quickstart } from "../../src/Recipe/Quickstart.ts"
import { describeData } from "../../src/Train/Run/DataDescription.ts"
import { appendMetrics } from "../../src/Train/Run/Metrics.ts"
import { type RunResult, writeResult } from "../../src/Train/Run/Result.ts"
import { FOLDER_VERSION } from "../../src/Train/Run/RunConfig.ts"
import { smallDataset } from "./Run.ts"

export interface Written {
  readonly epochs: number
  /** On the test images, of a run that is finished. */
  readonly accuracy?: number
  /** Whether this process trains it. */
  readonly training?: boolean
  /** What its experiment has otherwise. */
  readonly over?: object
}

/** A folder until the scope ends. */
export const temporaryRuns = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-watch-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** Adds the line of an epoch. */
export const writeEpoch = (directory: string, epoch: number) =>
  appendMetrics(path.join(directory, "metrics.jsonl"), {
    epoch,
    step: 10 * epoch,
    lr: 0.1 / epoch,
    trainLoss: 2 / epoch,
    trainAccuracy: 1 - 1 / (1 + epoch),
    valLoss: 2.5 / epoch,
    accuracy: { raw: 1 - 1 / (2 + epoch), ema: 1 - 1 / (3 + epoch) },
    imagesPerSecond: 1000 + epoch,
    seconds: 60,
    waitShare: 0
  })

export const writeRun = Effect.fnUntraced(function* (root: string, name: string, written: Written) {
  const { accuracy, epochs, over = {}, training = false } = written
  const directory = path.join(root, name)
  mkdirSync(directory, { recursive: true })
  const experiment = yield* decodeExperiment(merge(quickstart.experiment, over))
  const dataset = smallDataset()
  const config = {
    version: FOLDER_VERSION,
    experiment,
    dataset: describeData(dataset),
    command: "shakedrop train",
    environment: { shakedrop: "1", commit: null, node: "v22", tensorflow: "2", device: "cpu" }
  }
  writeFileSync(path.join(directory, "config.json"), JSON.stringify(config))
  for (let epoch = 1; epoch <= epochs; epoch++) yield* writeEpoch(directory, epoch)
  if (training) {
    writeFileSync(path.join(directory, "lock"), JSON.stringify({ pid: process.pid, host: hostname() }))
  }
  if (accuracy === undefined) return directory
  const result: RunResult = {
    ...{
      dataset: dataset.name,
      split: "test",
      epochs,
      weights: "ema",
      selection: "best validation accuracy"
    },
    ...{ images: 20, accuracy, interval: [accuracy - 0.01, accuracy + 0.01], loss: 0.2, top5: 1 },
    ...{ confusion: [[20]], parameters: 1000, multiplyAdds: 1000, trainSeconds: 60 * epochs, seed: 1 },
    command: "shakedrop train"
  }
  yield* writeResult(path.join(directory, "result.json"), result)
  writeFileSync(path.join(directory, "report.html"), `<h1>report of ${name.length} letters</h1>`)
  return directory
})
