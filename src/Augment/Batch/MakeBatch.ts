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
  /** The places of a batch that are made, of which its arrays have no others; all unless given. */
  readonly places?: Uint32Array | undefined
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
  /** uint8 [N,H,W,3], where N is the batch size, or the number of places that are made. */
  readonly images: Uint8Array
  readonly labelsA: Int32Array
  readonly labelsB: Int32Array
  readonly lambda: Float32Array
}

/** How many images of a batch are made. */
const madeOf = ({ batchSize, places }: BatchSource): number => places?.length ?? batchSize

/** Bytes that a batch's arrays take. */
export const batchBytes = (source: BatchSource): number =>
  madeOf(source) * (3 * 4 + source.images.height * source.images.width * 3)

/** The arrays of a batch in one piece of memory of `batchBytes`. */
export const arraysOver = (memory: ArrayBufferLike, source: BatchSource): BatchArrays => {
  const { height, width } = source.images
  const made = madeOf(source)
  return {
    labelsA: new Int32Array(memory, 0, made),
    labelsB: new Int32Array(memory, made * 4, made),
    lambda: new Float32Array(memory, made * 8, made),
    images: new Uint8Array(memory, made * 12, made * height * width * 3)
  }
}

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
  const whole = source.places === undefined
  const places = source.places ?? Uint32Array.from({ length: batchSize }, (_, i) => i)
  const canvas = makeCanvas(height, width)
  const unmixed = new Uint8Array(mixing === undefined ? 0 : batchSize * bytes)
  const mixed = new Uint8Array(mixing === undefined || whole ? 0 : batchSize * bytes)
  return ({ chosen, epoch, index }, { images: out, labelsA, labelsB, lambda }) => {
    const drawn = mixing?.(epoch, index)
    const make = (place: number, target: Uint8Array, to: number): void => {
      noteImage(trace, chosen[place])
      load(canvas, images, chosen[place])
      augment(canvas, epoch, chosen[place])
      target.set(canvas.pixels, to * bytes)
    }
    places.forEach((place, i) => {
      labelsA[i] = labels[chosen[place]]
    })
    labelsB.set(labelsA)
    lambda.fill(drawn?.lambda ?? 1)
    if (drawn === undefined) {
      for (let i = 0; i < places.length; i++) make(places[i], out, i)
      return
    }
    // Partners are drawn among the whole batch, also where a part of it is made.
    const partners = shuffle(Uint32Array.from(chosen.keys()), draws(seed, "partners", epoch, index))
    const needed = whole ? places : new Set([...places, ...places.map((place) => partners[place])])
    for (const place of needed) make(place, unmixed, place)
    places.forEach((place, i) => {
      noteImage(trace, chosen[place])
      noteStep(trace, pipeline.length - 1)
      drawn.mix(unmixed, whole ? out : mixed, place, partners[place])
      if (!whole) out.set(mixed.subarray(place * bytes, (place + 1) * bytes), i * bytes)
      labelsB[i] = labels[chosen[partners[place]]]
    })
  }
}
