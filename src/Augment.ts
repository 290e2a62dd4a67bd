/**
 * From a data set to batches of augmented images. Images stay uint8; the device normalises them. Every draw is a
 * function of (seed, epoch, image) or (seed, epoch, batch), so a batch does not depend on what was made before it,
 * nor on where.
 */
import * as os from "node:os"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { adaptive } from "./Augment/Batch/Adaptive.ts"
import { type Batch, type BatchRange, batchStream } from "./Augment/Batch/BatchStream.ts"
import { type Epochs, openEpochs } from "./Augment/Batch/Epochs.ts"
import { makeInline } from "./Augment/Batch/Inline.ts"
import { always } from "./Augment/Batch/Ways.ts"
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
  type BatchRange,
  batchesPerEpoch,
  evaluationBatches,
  type ImageBatch
} from "./Augment/Batch/BatchStream.ts"
export type { Epochs } from "./Augment/Batch/Epochs.ts"
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
  /** The places of each batch that are made, where others make the rest; all unless given. */
  readonly places?: Uint32Array | undefined
  /** An integer in [0, 2^32). */
  readonly seed: number
  /**
   * Threads that make batches; 0 for the calling one. Unless given, batches are made in the calling one until the device
   * is seen to wait for them, and then in threads if they come quicker. The batches are the same.
   */
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
export type EpochPosition = Omit<BatchRange, "until">

export interface Augmenter {
  /**
   * Opens the stream of augmented batches of some epochs of the training split, each in an order drawn for it. At most
   * two batches for each thread are made before they are asked for, until the scope closes. The memory of a batch is
   * used for a later one once its effect is done, because to make use of fresh memory takes longer than many an
   * operation on images.
   */
  readonly open: (range: BatchRange) => Effect.Effect<Epochs, never, Scope.Scope>
  /** Runs an effect on each of an epoch's batches, in order. A batch's arrays are valid until its effect is done. */
  readonly run: <A, E, R>(
    position: EpochPosition,
    use: (batch: Batch) => Effect.Effect<A, E, R>
  ) => Effect.Effect<void, E | AugmentError, R>
}

/** Threads that are tried at most unless a number is given: each takes memory for two batches. */
const MOST_THREADS = 4

/** Threads that may be tried: one core is left to the calling thread. */
const triedThreads = (): number => Math.min(os.availableParallelism() - 1, MOST_THREADS)

/** How an augmenter makes its batches. */
const makeSource = Effect.fnUntraced(function* (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  { batchSize, pipeline, places, seed, steps = { definitions: builtIn, modules: [] }, workers }: BatchOptions
) {
  const { images, indices, labels } = dataset.train
  const { definitions, modules } = steps
  const source = { images, labels, mean: toColour(dataset.mean), pipeline, batchSize, places, seed, modules }
  const inline = makeInline(source, definitions)
  // Replicas of one machine share its cores: what one measures, the others change.
  const mayChoose = workers === undefined && places === undefined
  const threads = modules === undefined ? 0 : mayChoose ? triedThreads() : (workers ?? 0)
  const concurrency = threads * SLOTS
  const orderOf = (epoch: number) => shuffle(indices.slice(), draws(seed, "order", epoch))
  const range = { orderOf, images: indices.length, batchSize }
  if (threads === 0) return { ...range, ways: always(inline, 0), recycle: inline.recycle }
  const startThreads = makePool(source, threads)
  if (mayChoose) {
    const ways = yield* adaptive({ inline, threads, concurrency, startThreads })
    return { ...range, ways, recycle: ways.recycle }
  }
  const pool = yield* startThreads
  return { ...range, ways: always(pool, concurrency), recycle: pool.recycle }
})

/** Makes ready to augment a data set. Worker threads, where there are any, end with the scope. */
export const makeAugmenter = Effect.fnUntraced(function* (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  options: BatchOptions
): Effect.fn.Return<Augmenter, AugmentError, Scope.Scope> {
  const source = yield* makeSource(dataset, options)
  const open = (range: BatchRange) => openEpochs({ ...source, ...range })
  return {
    open,
    run: ({ epoch, from }, use) =>
      Effect.scoped(Effect.flatMap(open({ epoch, from, until: epoch + 1 }), (epochs) => epochs.run(use)))
  }
})

/**
 * The augmented batches of an epoch as a stream, made by threads of its own where `workers` asks for them. Each has
 * memory of its own, so that they can be kept.
 */
export const epochBatches = (
  dataset: Pick<LoadedDataset, "train" | "mean">,
  options: BatchOptions,
  { epoch, from }: EpochPosition
): Stream.Stream<Batch, AugmentError> =>
  Stream.unwrap(
    Effect.map(makeSource(dataset, options), (source) =>
      batchStream({ ...source, epoch, from, until: epoch + 1 })
    )
  )
