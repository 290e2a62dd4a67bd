/** Runs of tiny networks to make ensembles of. */
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { merge } from "../../src/Config.ts"
import { Dataset, type LoadedDataset } from "../../src/Data.ts"
import { Device } from "../../src/Device.ts"
import { decodeEnsemble, openEnsemble } from "../../src/Ensemble.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { describeData } from "../../src/Train/Run/DataDescription.ts"
import { colours, runsOn, temporary } from "../support/Runs.ts"

export const dataset = colours()

/** One epoch of three steps. */
export const tiny: ExperimentInput = {
  name: "tiny",
  data: { dataset: "shapes" },
  augment: [],
  model: { _tag: "SimpleCnn", width: 2 },
  train: {
    epochs: 1,
    batchSize: 32,
    learningRate: 0.05,
    schedule: { _tag: "Cosine", warmupEpochs: 0 }
  }
}

/** A run's logits of the test images. */
type Logits = Float32Array

/**
 * Trains runs before the tests of a file: by name, what differs from the tiny experiment. Each test takes a copy of
 * all of them.
 */
export const trainedBefore = (experiments: Readonly<Record<string, unknown>>) => {
  const master = mkdtempSync(path.join(tmpdir(), "shakedrop-ensemble-"))
  const logits: Record<string, Logits> = {}
  const runs = Effect.forEach(Object.entries(experiments), ([name, change]) =>
    Effect.gen(function* () {
      const experiment = yield* decodeExperiment(merge(tiny, change))
      logits[name] = (yield* runsOn(dataset).run(experiment, path.join(master, name))).logits
    })
  )
  beforeAll(() => Effect.runPromise(Effect.asVoid(runs)), 60_000)
  afterAll(() => rmSync(master, { recursive: true }))
  const copies = Effect.tap(temporary, (folder) =>
    Effect.sync(() => cpSync(master, folder, { recursive: true }))
  )
  return { copies, logits }
}

/** An ensemble of runs in a folder, opened; members are numbered by their runs' names there. */
export const open = (
  folder: string,
  members: ReadonlyArray<Readonly<Record<string, unknown>>>,
  rest: Readonly<Record<string, unknown>> = {}
) => Effect.flatMap(decoded(folder, members, rest), (config) => openEnsemble(config, describeData(dataset)))

/** The configuration of an ensemble whose runs lie in a folder. */
export const decoded = (
  folder: string,
  members: ReadonlyArray<Readonly<Record<string, unknown>>>,
  rest: Readonly<Record<string, unknown>> = {}
) => {
  const placed = (member: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
    Array.isArray(member.soup)
      ? { ...member, soup: member.soup.map(placed) }
      : { ...member, run: path.join(folder, String(member.run)) }
  return decodeEnsemble({
    name: "some",
    data: { dataset: "shapes" },
    members: members.map(placed),
    ...rest
  })
}

export const withData = (data: LoadedDataset = dataset) => Layer.succeed(Dataset, data)

/** Data and the CPU. */
export const services = Layer.merge(withData(), Device.layer("cpu"))

/** The CPU, which counts the programs that are held on it, and how many have been at most. */
export const countedDevice = (count: { live: number; most: number; all: number }) =>
  Layer.unwrap(
    Effect.map(Device, (device) =>
      Device.layerTest({
        ...device,
        compile: (...args) =>
          Effect.tap(device.compile(...args), () =>
            Effect.acquireRelease(
              Effect.sync(() => {
                count.all++
                count.live++
                count.most = Math.max(count.most, count.live)
              }),
              () =>
                Effect.sync(() => {
                  count.live--
                })
            )
          )
      })
    )
  ).pipe(Layer.provide(Device.layer("cpu")))

/** The kept outputs of a run, with when each was written. */
export const keptOutputs = (folder: string, run: string): ReadonlyMap<string, number> => {
  const outputs = path.join(folder, run, "outputs")
  return new Map(
    readdirSync(outputs)
      .sort()
      .map((name) => [path.join(outputs, name), statSync(path.join(outputs, name)).mtimeMs])
  )
}
