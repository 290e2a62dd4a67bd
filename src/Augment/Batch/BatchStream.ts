/** Batches as streams. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Split } from "../../Data/Types.ts"
import type { AugmentError } from "../Errors.ts"
import type { BatchArrays, BatchTask } from "./MakeBatch.ts"

/** Images of a batch, uint8 [batchSize,H,W,3]; only the first `size` are images, the others are black. */
export interface ImageBatch {
  /** The batch's number, from 0. */
  readonly index: number
  readonly size: number
  readonly images: Uint8Array
}

/** A whole batch to train on. */
export interface Batch extends ImageBatch, BatchArrays {}

/** Makes batches. */
export interface Maker {
  /** The arrays are the caller's own until they are handed back. */
  readonly make: (task: BatchTask) => Effect.Effect<BatchArrays, AugmentError>
  /** Hands a batch's arrays back, for a later batch. */
  readonly recycle: (batch: BatchArrays) => void
}

/** Whole batches in an epoch; the images that are left over are other ones in each epoch. */
export const batchesPerEpoch = (images: number, batchSize: number): number => Math.floor(images / batchSize)

export interface BatchStreamOptions {
  /** The images of the epoch, in its order. */
  readonly order: Uint32Array
  readonly batchSize: number
  readonly epoch: number
  /** The first batch. */
  readonly from: number
  readonly make: Maker["make"]
  /** Batches that are made at a time; 0 for a maker that keeps the calling thread busy. */
  readonly concurrency: number
}

/**
 * The batches of an epoch, in order. As many as are made at a time are made before they are asked for, and no more;
 * two where that is none.
 */
export const batchStream = (options: BatchStreamOptions): Stream.Stream<Batch, AugmentError> => {
  const { batchSize, concurrency, epoch, from, make, order } = options
  const batches = batchesPerEpoch(order.length, batchSize)
  if (from >= batches) return Stream.empty
  const numbers = Stream.range(from, batches - 1, 1)
  const batch = (index: number): Effect.Effect<Batch, AugmentError> => {
    const chosen = order.slice(index * batchSize, (index + 1) * batchSize)
    return Effect.map(make({ epoch, index, chosen }), (arrays) => ({ index, size: batchSize, ...arrays }))
  }
  return concurrency > 0
    ? Stream.mapEffect(numbers, batch, { concurrency })
    : Stream.buffer(Stream.mapEffect(numbers, batch), { capacity: 1 })
}

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
