/**
 * From a data set to batches of augmented images. Images stay uint8; the device normalises them. Every draw is a
 * function of (seed, epoch, image), so that a batch does not depend on what was drawn before it.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { load, makeCanvas } from "./Augment/Canvas.ts"
import { compile } from "./Augment/Compile.ts"
import type { Colour } from "./Augment/Erase.ts"
import { AugmentError } from "./Augment/Errors.ts"
import type { Pipeline } from "./Augment/Pipeline.ts"
import type { LoadedDataset, Split } from "./Data/Types.ts"
import { draws, shuffle } from "./Random.ts"

export { AugmentError } from "./Augment/Errors.ts"
export { Pipeline } from "./Augment/Pipeline.ts"

/** Images of a batch, uint8 [batchSize,H,W,3]; only the first `size` are images, the others are black. */
export interface ImageBatch {
  /** The batch's number, from 0. */
  readonly index: number
  readonly size: number
  readonly images: Uint8Array
}

/** A batch to train on. Image i is of class `labelsA[i]` by the share `lambda[i]`, and of `labelsB[i]` by the rest. */
export interface Batch extends ImageBatch {
  readonly labelsA: Int32Array
  readonly labelsB: Int32Array
  readonly lambda: Float32Array
}

export interface BatchOptions {
  readonly batchSize: number
  readonly pipeline: Pipeline
  /** An integer in [0, 2^32). */
  readonly seed: number
}

/** Batches ready before they are asked for. */
const PREFETCH = 1

/** Whole batches in an epoch; the images that are left over are other ones in each epoch. */
export const batchesPerEpoch = (images: number, batchSize: number): number => Math.floor(images / batchSize)

const meanColour = ({ mean }: LoadedDataset): Colour => [
  Math.round(255 * mean[0]),
  Math.round(255 * mean[1]),
  Math.round(255 * mean[2])
]

/** The augmented batches of an epoch of the training split, from batch `from` on. */
export const epochBatches = (
  dataset: LoadedDataset,
  { batchSize, pipeline, seed }: BatchOptions,
  { epoch, from }: { readonly epoch: number; readonly from: number }
): Stream.Stream<Batch, AugmentError> =>
  Stream.suspend(() => {
    const { images, indices, labels } = dataset.train
    const order = shuffle(indices.slice(), draws(seed, "order", epoch))
    const augment = compile(pipeline, { seed, mean: meanColour(dataset) })
    const canvas = makeCanvas(images.height, images.width)
    const bytes = images.height * images.width * 3
    const make = (index: number): Batch => {
      const chosen = order.subarray(index * batchSize, (index + 1) * batchSize)
      const batch = {
        index,
        size: batchSize,
        images: new Uint8Array(batchSize * bytes),
        labelsA: Int32Array.from(chosen, (image) => labels[image]),
        labelsB: Int32Array.from(chosen, (image) => labels[image]),
        lambda: new Float32Array(batchSize).fill(1)
      }
      chosen.forEach((image, i) => {
        load(canvas, images, image)
        augment(canvas, epoch, image)
        batch.images.set(canvas.pixels, i * bytes)
      })
      return batch
    }
    const batches = batchesPerEpoch(indices.length, batchSize)
    if (from >= batches) return Stream.empty
    return Stream.range(from, batches - 1, 1).pipe(
      Stream.mapEffect((index) =>
        Effect.try({
          try: () => make(index),
          catch: (cause) =>
            new AugmentError({ message: `batch ${index}: ${(cause as Error).message}`, cause })
        })
      ),
      Stream.buffer({ capacity: PREFETCH })
    )
  })

/** The images of a split as they are, in its order; the last batch is padded with black images. */
export const evaluationBatches = (split: Split, batchSize: number): Stream.Stream<ImageBatch> => {
  const { images, indices } = split
  const bytes = images.height * images.width * 3
  const make = (index: number): ImageBatch => {
    const chosen = indices.subarray(index * batchSize, (index + 1) * batchSize)
    const batch = new Uint8Array(batchSize * bytes)
    chosen.forEach((image, i) => {
      batch.set(images.pixels.subarray(image * bytes, (image + 1) * bytes), i * bytes)
    })
    return { index, size: chosen.length, images: batch }
  }
  if (indices.length === 0) return Stream.empty
  return Stream.range(0, Math.ceil(indices.length / batchSize) - 1, 1).pipe(Stream.map(make))
}
