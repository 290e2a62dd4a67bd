/** What answers for a model: a run's network, or an ensemble's, compiled for a few sizes of batches. */
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { judgedBy } from "../../Checkpoint.ts"
import { Dataset } from "../../Data.ts"
import { Device, type DeviceError } from "../../Device.ts"
import { loadMember } from "../../Ensemble/Member.ts"
import { overViews } from "../../Ensemble/Outputs.ts"
import { scored } from "../../Ensemble/Predict.ts"
import { decodeEnsemble, type Ensemble, type Outputs, openEnsemble, sourcesOf } from "../../Ensemble.ts"
import { warning } from "../../Events.ts"
import type { Size } from "../../Model/Layer/Layer.ts"
import { readJson, storageError } from "../../Platform/Files.ts"
import { type Served, servedNetwork } from "../../Predict.ts"
import { uint8 } from "../../Tensor/HostTensor.ts"
import { show } from "../../Train/Evaluate/View.ts"
import { evaluationEntry } from "../../Train/Step/EntryPoints.ts"
import { openRun } from "../../Train.ts"

export interface Network {
  /** What each value of a row stands for. */
  readonly classes: ReadonlyArray<string>
  readonly size: Size
  /** Logits of one network, or the scores of an ensemble, whose sum is 1. */
  readonly says: "logits" | "scores"
  /** Numbers of images that it takes at once, ascending. */
  readonly batchSizes: ReadonlyArray<number>
  /** uint8 [batch,height,width,3] → [batch,classes], for a batch of one of the sizes. */
  readonly ask: (pixels: Uint8Array, batch: number) => Effect.Effect<Float32Array, DeviceError>
}

/** 1, 2, 4, … up to the largest. */
export const batchSizesUpTo = (largest: number): ReadonlyArray<number> =>
  Array.from({ length: Math.log2(largest) + 1 }, (_, power) => 2 ** power)

const entryName = (batch: number): string => `batch${batch}`

/** Compiles one network for batches of each size, around one copy of its weights. */
const compile = Effect.fnUntraced(function* (
  served: Pick<Served, "network" | "weights" | "size" | "mean" | "std">,
  batchSizes: ReadonlyArray<number>
) {
  const device = yield* Device
  const { network, size, weights } = served
  const program = yield* device.compile(
    weights,
    Object.fromEntries(
      batchSizes.map((batchSize) => [
        entryName(batchSize),
        evaluationEntry(network, { ...served, batchSize })
      ])
    )
  )
  return (pixels: Uint8Array, batch: number) =>
    Effect.map(
      program.run(entryName(batch), { images: uint8([batch, size.height, size.width, 3], pixels) }),
      ({ logits }) => logits.data as Float32Array
    )
})

const openOne = Effect.fnUntraced(function* (run: string, batchSizes: ReadonlyArray<number>) {
  const served = yield* servedNetwork(run)
  for (const line of served.skipped) yield* warning(`${line}; it is passed over`)
  const { classes, size } = served
  const ask = yield* compile(served, batchSizes)
  return { classes, size, says: "logits", batchSizes, ask } satisfies Network
})

/** The number of an image in a data set, by which views draw: one that comes over the network has none. */
const NUMBER = 0

/** What a member says of a batch, over the ensemble's views. */
const asking = Effect.fnUntraced(function* (
  { config, data: { mean, size, std }, members, views }: Ensemble,
  index: number,
  batchSizes: ReadonlyArray<number>
) {
  const { network, weights } = yield* loadMember(members[index])
  const ask = yield* compile({ network, weights, size, mean, std }, batchSizes)
  return Effect.fnUntraced(function* (pixels: Uint8Array, batch: number) {
    const numbers = new Uint32Array(batch).fill(NUMBER)
    const said = yield* Effect.forEach(views, (view) =>
      Effect.map(
        ask(show(view, pixels, size, numbers), batch),
        (values): Outputs => ({ images: batch, classes: network.classes, values })
      )
    )
    return overViews(said, views, config.ttaMean)
  })
})

const openMany = Effect.fnUntraced(function* (file: string, batchSizes: ReadonlyArray<number>) {
  const config = yield* decodeEnsemble(yield* readJson(file))
  const [first] = sourcesOf(config.members[0])
  const { dataset } = yield* openRun(first.run).config
  const ensemble = yield* openEnsemble(config, dataset)
  const opening = Effect.forEach(ensemble.members, (_, index) => asking(ensemble, index, batchSizes))
  // Only a soup, whose batch statistics are measured anew, takes the data set.
  const takesData = config.members.some((member) => "soup" in member)
  const askMembers = yield* takesData ? Effect.provide(opening, Dataset.layer(config.data)) : opening
  const ask = (pixels: Uint8Array, batch: number) =>
    Effect.map(
      Effect.forEach(askMembers, (askMember) => askMember(pixels, batch)),
      (said) => scored(ensemble, said).values
    )
  const { classes, size } = dataset
  return { classes, size, says: "scores", batchSizes, ask } satisfies Network
})

/**
 * Opens what is served: a run's folder, or the file of an ensemble, whose members are then all on the device at the same
 * time.
 */
export const openNetwork = Effect.fn("openNetwork")(function* (
  path: string,
  batchSizes: ReadonlyArray<number>
) {
  const stats = yield* Effect.tryPromise({ try: () => fs.stat(path), catch: storageError("read", path) })
  return yield* stats.isDirectory() ? openOne(path, batchSizes) : openMany(path, batchSizes)
})

/** What differs where other weights would be served: of a run, its checkpoint; of an ensemble, those of its members. */
export const identityOf = Effect.fnUntraced(function* (path: string) {
  const stats = yield* Effect.tryPromise({ try: () => fs.stat(path), catch: storageError("read", path) })
  const sources = stats.isDirectory()
    ? [{ run: path, checkpoint: undefined }]
    : (yield* decodeEnsemble(yield* readJson(path))).members.flatMap(sourcesOf)
  const parts = yield* Effect.forEach(sources, ({ checkpoint, run }) =>
    Effect.gen(function* () {
      const { checkpoints } = openRun(run)
      const { identity } = yield* checkpoints.identify(checkpoint ?? (yield* judgedBy(checkpoints)))
      return Option.match(identity, { onNone: () => "", onSome: ({ sha256 }) => sha256 })
    })
  )
  return parts.join(" ")
})
