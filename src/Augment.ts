/**
 * From a data set to batches of augmented images. Images stay uint8; the device normalises them. Every draw is a
 * function of (seed, epoch, image) or (seed, epoch, batch), so a batch does not depend on what was made before it,
 * nor on where.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Batch, batchStream } from "./Augment/Batch/BatchStream.ts"
import { makeInline } from "./Augment/Batch/Inline.ts"
import type { BatchArrays } from "./Augment/Batch/MakeBatch.ts"
import { makePool, SLOTS } from "./Augment/Batch/WorkerPool.ts"
import type { AugmentError } from "./Augment/Errors.ts"
import { toColour } from "./Augment/Kernel/Canvas.ts"
import type { Pipeline } from "./Augment/Pipeline.ts"
import type { Step } from "./Augment/Step/Step.ts"
import { steps as builtIn } from "./Augment/Steps.ts"
import type { LoadedDataset } from "./Data/Types.ts"
import { draws, shuffle } from "./Random.ts"

export {
  type Batch,
  batchesPerEpoch,
  evaluationBatches,
  type ImageBatch
} from "./Augment/Batch/BatchStream.ts"
export type { BatchArrays } from "./Augment/Batch/MakeBatch.ts"
export { AugmentError } from "./Augment/Errors.ts"
export { type Canvas, type Colour, makeCanvas } from "./Augment/Kernel/Canvas.ts"
export { crop, flipHorizontally, type PaddingMode } from "./Augment/Kernel/Crop.ts"
export { cutout, type ErasingOptions, erase } from "./Augment/Kernel/Erase.ts"
export { type BatchMixing, drawCutMix, drawMixup, type Mixing, mix } from "./Augment/Kernel/Mix.ts"
export { normalize } from "./Augment/Kernel/Normalize.ts"
export { OPERATIONS, type Operation, operate } from "./Augment/Kernel/Operation.ts"
export { Pipeline, type StepConfig, type StepInput } from "./Augment/Pipeline.ts"
export { readPolicies } from "./Augment/Policy/ReadPolicies.ts"
export { defineStep, type Step, type StepContext } from "./Augment/Step/Step.ts"
export { steps } from "./Augment/Steps.ts"
export { type Draws, draws } from "./Random.ts"

export interface BatchOptions {
  readonly batchSize: number
  readonly pipeline: Pipeline
  /** An integer in [0, 2^32). */
  readonly seed: number
  /** Threads that make batches; 0, unless given, for the calling one. The batches are the same. */
  readonly workers?: number | undefined
  /** The steps that there are; this library's unless given. */
  readonly steps?: AvailableSteps | undefined
}

/** Steps that a pipeline can have. */
export interface AvailableSteps {
  readonly definitions: ReadonlyArray<Step>
  /**
   * URLs of the modules that bring those of them that the pipeline needs and this library does not have; undefined
   * where one of them has none, so that threads cannot load it: batches are made in the calling thread then.
   */
  readonly modules: ReadonlyArray<string> | undefined
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
  /**
   * Hands back a batch that is done with, so that its memory is used for a later one: to make use of fresh memory
   * takes longer than many an operation on images. A batch that is not handed back stays as it is.
   */
  readonly recycle: (batch: BatchArrays) => void
}

/** Makes ready to augment a data set. Worker threads, where there are any, end with the scope. */
export const makeAugmenter = Effect.fnUntraced(function* (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  { batchSize, pipeline, seed, steps = { definitions: builtIn, modules: [] }, workers = 0 }: BatchOptions
): Effect.fn.Return<Augmenter, never, Scope.Scope> {
  const { images, indices, labels } = dataset.train
  const { definitions, modules } = steps
  const source = { images, labels, mean: toColour(dataset.mean), pipeline, batchSize, seed, modules }
  const threads = modules === undefined ? 0 : workers
  const { make, recycle } = threads > 0 ? yield* makePool(source, threads) : makeInline(source, definitions)
  return {
    recycle,
    epoch: ({ epoch, from }) =>
      Stream.suspend(() => {
        const order = shuffle(indices.slice(), draws(seed, "order", epoch))
        return batchStream({ order, batchSize, epoch, from, make, concurrency: threads * SLOTS })
      })
  }
})

/** The augmented batches of an epoch, made by threads of its own where `workers` asks for them. */
export const epochBatches = (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  options: BatchOptions,
  position: EpochPosition
): Stream.Stream<Batch, AugmentError> =>
  Stream.unwrap(Effect.map(makeAugmenter(dataset, options), ({ epoch }) => epoch(position)))
