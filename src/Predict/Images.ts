/** Image files for a network: found, decoded and classified in batches. */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decodeImages } from "../Data/ImageFolder/Decode.ts"
import { tellLeftOut } from "../Data/ImageFolder/LeftOut.ts"
import { imagesBelow } from "../Data/ImageFolder/Walk.ts"
import { Device } from "../Device.ts"
import { storageError } from "../Platform/Files.ts"
import { uint8 } from "../Tensor/HostTensor.ts"
import { softmax } from "../Train/Evaluate/Measures.ts"
import { evaluationEntry } from "../Train/Step/EntryPoints.ts"
import type { Served } from "./TrainedRun.ts"

/** Images in one run of the graph. */
const BATCH = 64

/**
 * The files that paths stand for: a folder for the images below it, in the order of their names, anything else for
 * itself. What a folder has besides images, and what cannot be decoded, is left out and told.
 */
export const filesOf = Effect.fn("filesOf")(function* (paths: ReadonlyArray<string>) {
  const found = yield* Effect.forEach(paths, (given) =>
    Effect.gen(function* () {
      const stats = yield* Effect.tryPromise({
        try: () => fs.stat(given),
        catch: storageError("read", given)
      })
      if (!stats.isDirectory()) return { files: [given], leftOut: [] }
      const { images, leftOut } = yield* imagesBelow(given)
      return { files: images.map((image) => path.join(given, image)), leftOut }
    })
  )
  yield* tellLeftOut(found.flatMap(({ leftOut }) => leftOut))
  return found.flatMap(({ files }) => files)
})

export interface Prediction {
  readonly file: string
  /** Of every class, in the order of the network's. */
  readonly probabilities: Float64Array
}

/** A file that could not be read as an image. */
export interface Unreadable {
  readonly file: string
  readonly reason: string
}

const decodeBatch = (files: ReadonlyArray<string>, { size }: Pick<Served, "size">) =>
  Effect.map(
    decodeImages(
      "",
      files.map((file) => ({ path: file, label: 0 })),
      { ...size, skipUnreadable: true, onDecoded: () => {} }
    ),
    ({ images, skipped }) => {
      const unreadable = skipped.map(({ path, reason }): Unreadable => ({ file: path, reason }))
      const without = new Set(unreadable.map(({ file }) => file))
      return { files: files.filter((file) => !without.has(file)), pixels: images.pixels, unreadable }
    }
  )

/** How images [N,H,W,3] are shown to a network. */
export type Show = (pixels: Uint8Array, numbers: ArrayLike<number>) => Uint8Array

/** What a network says of the files of a batch. */
interface FileLogits {
  /** Those that could be read. */
  readonly files: ReadonlyArray<string>
  readonly unreadable: ReadonlyArray<Unreadable>
  /** [images,classes] for each way in which they were shown; none where no file could be read. */
  readonly logits: ReadonlyArray<Float32Array>
}

const asTheyAre: Show = (pixels) => pixels

/**
 * Compiles a network for image files, and gives what it says of any number of them, a batch at a time: logits
 * [images,classes] for each way in which they are shown. Images count from 0 for each stream.
 */
export const fileLogits = Effect.fn("fileLogits")(function* (
  served: Pick<Served, "network" | "weights" | "size" | "mean" | "std">,
  shows: ReadonlyArray<Show>
) {
  const device = yield* Device
  const { network, size, weights } = served
  const images = { ...served, batchSize: BATCH }
  const program = yield* device.compile(weights, { classify: evaluationEntry(network, images) })
  const shape = [BATCH, size.height, size.width, 3]

  const classify = Effect.fnUntraced(function* (group: ReadonlyArray<string>, index: number) {
    const { files, pixels, unreadable } = yield* decodeBatch(group, served)
    const numbers = Uint32Array.from(files, (_, i) => index * BATCH + i)
    const logits: Array<Float32Array> = []
    for (const show of files.length === 0 ? [] : shows) {
      const padded = new Uint8Array(BATCH * size.height * size.width * 3)
      padded.set(show(pixels, numbers))
      const result = yield* program.run("classify", { images: uint8(shape, padded) })
      logits.push((result.logits.data as Float32Array).slice(0, files.length * network.classes))
    }
    return { files, logits, unreadable } satisfies FileLogits
  })

  return (files: ReadonlyArray<string>) =>
    Stream.fromIterable(files).pipe(
      Stream.grouped(BATCH),
      Stream.zipWithIndex,
      Stream.mapEffect(([group, index]) => classify(group, index))
    )
})

/** What a network says of a batch of files, shown as they are, as predictions. */
const predictionsOf = (
  { files, logits: [rows], unreadable }: FileLogits,
  classes: number
): { readonly predictions: ReadonlyArray<Prediction>; readonly unreadable: ReadonlyArray<Unreadable> } => ({
  unreadable,
  predictions: files.map((file, i) => {
    const row = rows.subarray(i * classes, (i + 1) * classes)
    return { file, probabilities: softmax(row, new Float64Array(classes)) }
  })
})

/** Compiles a network for image files, and gives the predictions of any number of them, a batch at a time. */
export const classifier = Effect.fn("classifier")(function* (served: Served) {
  const { classes } = served.network
  const classify = yield* fileLogits(served, [asTheyAre])
  const predict = (files: ReadonlyArray<string>) =>
    Stream.map(classify(files), (said) => predictionsOf(said, classes))
  return predict
})
