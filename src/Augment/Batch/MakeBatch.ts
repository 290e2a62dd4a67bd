/** Makes batches, one at a time, into memory that is given. */
import type { Images } from "../../Data/Types.ts"
import { draws, shuffle } from "../../Random.ts"
import { compile } from "../Compile.ts"
import { type Colour, load, makeCanvas } from "../Kernel/Canvas.ts"
import type { Pipeline } from "../Pipeline.ts"
import type { Step } from "../Step/Step.ts"
import { steps as builtIn } from "../Steps.ts"
import { noteImage, noteStep, type Trace } from "./Breadcrumbs.ts"

/** What every batch of a run is made of. Passed to worker threads as it is: `images` lies in shared memory. */
export interface BatchSource {
  readonly images: Images
  /** The class of each image. */
  readonly labels: Uint16Array
  /** What hidden pixels get. */
  readonly mean: Colour
  readonly pipeline: Pipeline
  readonly batchSize: number
  readonly seed: number
  /** URLs of modules whose plugins bring steps of the pipeline, for threads to load. */
  readonly modules?: ReadonlyArray<string> | undefined
}

export interface BatchTask {
  readonly epoch: number
  /** The batch's number in the epoch. */
  readonly index: number
  /** Which images, one for each place of the batch. */
  readonly chosen: Uint32Array
}

/** A batch's arrays. Image i is of class `labelsA[i]` by the share `lambda[i]`, and of `labelsB[i]` by the rest. */
export interface BatchArrays {
  /** uint8 [batchSize,H,W,3] */
  readonly images: Uint8Array
  readonly labelsA: Int32Array
  readonly labelsB: Int32Array
  readonly lambda: Float32Array
}

/** Bytes that a batch's arrays take. */
export const batchBytes = ({ batchSize, images: { height, width } }: BatchSource): number =>
  batchSize * (3 * 4 + height * width * 3)

/** The arrays of a batch in one piece of memory of `batchBytes`. */
export const arraysOver = (
  memory: ArrayBufferLike,
  { batchSize, images: { height, width } }: BatchSource
): BatchArrays => ({
  labelsA: new Int32Array(memory, 0, batchSize),
  labelsB: new Int32Array(memory, batchSize * 4, batchSize),
  lambda: new Float32Array(memory, batchSize * 8, batchSize),
  images: new Uint8Array(memory, batchSize * 12, batchSize * height * width * 3)
})

/** Fills `out` with the batch of a task. */
export type MakeBatch = (task: BatchTask, out: BatchArrays) => void

/** A maker of these steps, with its own scratch memory; where it stands is noted in `trace`, also when it throws. */
export const batchMaker = (
  source: BatchSource,
  trace: Trace,
  steps: ReadonlyArray<Step> = builtIn
): MakeBatch => {
  const { batchSize, images, labels, pipeline, seed } = source
  const { height, width } = images
  const bytes = height * width * 3
  const { augment, mixing } = compile(pipeline, { ...source, size: images, trace, steps })
  const canvas = makeCanvas(height, width)
  const unmixed = new Uint8Array(mixing === undefined ? 0 : batchSize * bytes)
  return ({ chosen, epoch, index }, { images: out, labelsA, labelsB, lambda }) => {
    const drawn = mixing?.(epoch, index)
    const target = drawn === undefined ? out : unmixed
    for (let i = 0; i < batchSize; i++) {
      noteImage(trace, chosen[i])
      load(canvas, images, chosen[i])
      augment(canvas, epoch, chosen[i])
      target.set(canvas.pixels, i * bytes)
      labelsA[i] = labels[chosen[i]]
    }
    labelsB.set(labelsA)
    lambda.fill(drawn?.lambda ?? 1)
    if (drawn === undefined) return
    const partners = shuffle(Uint32Array.from(chosen.keys()), draws(seed, "partners", epoch, index))
    for (let i = 0; i < batchSize; i++) {
      noteImage(trace, chosen[i])
      noteStep(trace, pipeline.length - 1)
      drawn.mix(unmixed, out, i, partners[i])
      labelsB[i] = labelsA[partners[i]]
    }
  }
}
