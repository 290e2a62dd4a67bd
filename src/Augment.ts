/**
 * From a data set to batches of augmented images. Images stay uint8; the device normalises them. Every draw is a
 * function of (seed, epoch, image) or (seed, epoch, batch), so a batch does not depend on what was made before it,
 * nor on where.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Colour } from "./Augment/Canvas.ts"
import { AugmentError } from "./Augment/Errors.ts"
import {
  arraysOver,
  type BatchArrays,
  type BatchSource,
  type BatchTask,
  batchBytes,
  batchMaker
} from "./Augment/MakeBatch.ts"
import type { Pipeline } from "./Augment/Pipeline.ts"
import { makePool, SLOTS } from "./Augment/Pool.ts"
import { describeTrace, makeTrace } from "./Augment/Trace.ts"
import type { LoadedDataset, PerChannel, Split } from "./Data/Types.ts"
import { draws, shuffle } from "./Random.ts"

export { type Canvas, type Colour, makeCanvas } from "./Augment/Canvas.ts"
export { crop, flipHorizontally, type PaddingMode } from "./Augment/Crop.ts"
export { AugmentError } from "./Augment/Errors.ts"
export type { BatchArrays } from "./Augment/MakeBatch.ts"
export { normalize } from "./Augment/Normalize.ts"
export { OPERATIONS, type Operation, operate } from "./Augment/Operation.ts"
export { Pipeline } from "./Augment/Pipeline.ts"

/** Images of a batch, uint8 [batchSize,H,W,3]; only the first `size` are images, the others are black. */
export interface ImageBatch {
  /** The batch's number, from 0. */
  readonly index: number
  readonly size: number
  readonly images: Uint8Array
}

/** A whole batch to train on. */
export interface Batch extends ImageBatch, BatchArrays {}

export interface BatchOptions {
  readonly batchSize: number
  readonly pipeline: Pipeline
  /** An integer in [0, 2^32). */
  readonly seed: number
  /** Threads that make batches; 0, unless given, for the calling one. The batches are the same. */
  readonly workers?: number | undefined
}

/** Which of the batches: those of an epoch, from batch `from` on. */
export interface EpochPosition {
  readonly epoch: number
  readonly from: number
}

export interface Augmenter {
  /**
   * The augmented batches of an epoch of the training split, in an order drawn for the epoch. At most two batches
   * for each thread are made before they are asked for.
   */
  readonly epoch: (position: EpochPosition) => Stream.Stream<Batch, AugmentError>
}

/** Whole batches in an epoch; the images that are left over are other ones in each epoch. */
export const batchesPerEpoch = (images: number, batchSize: number): number => Math.floor(images / batchSize)

/** A colour on the scale where a pixel is in [0, 1], in whole grey levels. */
export const toColour = ([red, green, blue]: PerChannel): Colour => [
  Math.round(255 * red),
  Math.round(255 * green),
  Math.round(255 * blue)
]

type Make = (task: BatchTask) => Effect.Effect<BatchArrays, AugmentError>

/** Makes batches in the calling thread. */
const makeInline = (source: BatchSource): Make => {
  const trace = makeTrace()
  const make = batchMaker(source, trace)
  const attempt = (task: BatchTask) =>
    Effect.try({
      try: () => {
        const arrays = arraysOver(new ArrayBuffer(batchBytes(source)), source)
        make(task, arrays)
        return arrays
      },
      catch: (cause) => {
        const steps = source.pipeline.map(({ _tag }) => _tag)
        const message = `${describeTrace(trace, steps)}: ${(cause as Error).message}`
        return new AugmentError({ message, cause })
      }
    })
  // Whoever was given the last batch starts with it before the next one is made.
  return (task) => Effect.andThen(Effect.yieldNow, attempt(task))
}

/** Makes ready to augment a data set. Worker threads, where there are any, end with the scope. */
export const makeAugmenter = Effect.fnUntraced(function* (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  { batchSize, pipeline, seed, workers = 0 }: BatchOptions
): Effect.fn.Return<Augmenter, never, Scope.Scope> {
  const { images, indices, labels } = dataset.train
  const source = { images, labels, mean: toColour(dataset.mean), pipeline, batchSize, seed }
  const make: Make = workers > 0 ? (yield* makePool(source, workers)).make : makeInline(source)
  const batches = batchesPerEpoch(indices.length, batchSize)

  const epoch = ({ epoch, from }: EpochPosition): Stream.Stream<Batch, AugmentError> =>
    Stream.suspend(() => {
      if (from >= batches) return Stream.empty
      const order = shuffle(indices.slice(), draws(seed, "order", epoch))
      const batch = (index: number) => {
        const chosen = order.slice(index * batchSize, (index + 1) * batchSize)
        return Effect.map(
          make({ epoch, index, chosen }),
          (arrays): Batch => ({ index, size: batchSize, ...arrays })
        )
      }
      const numbers = Stream.range(from, batches - 1, 1)
      return workers > 0
        ? Stream.mapEffect(numbers, batch, { concurrency: workers * SLOTS })
        : Stream.mapEffect(numbers, batch).pipe(Stream.buffer({ capacity: 1 }))
    })
  return { epoch }
})

/** The augmented batches of an epoch, made by threads of its own where `workers` asks for them. */
export const epochBatches = (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  options: BatchOptions,
  position: EpochPosition
): Stream.Stream<Batch, AugmentError> =>
  Stream.unwrap(Effect.map(makeAugmenter(dataset, options), ({ epoch }) => epoch(position)))

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
