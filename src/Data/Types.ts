/**
 * What the parts of the data layer share: images, splits, a loaded data set and its error.
 */
import * as Data from "effect/Data"

/** Images of one size, uint8 RGB in NHWC order, in shared memory so that worker threads read them in place. */
export interface Images {
  readonly pixels: Uint8Array
  readonly count: number
  readonly height: number
  readonly width: number
}

/** Some of the images, by index, with their labels. `labels` has one entry for each of `images`. */
export interface Split {
  readonly images: Images
  readonly labels: Uint16Array
  readonly indices: Uint32Array
}

export type SplitName = "train" | "validation" | "test"

/** A value for each of red, green and blue, on the scale where a pixel is in [0, 1]. */
export type PerChannel = readonly [number, number, number]

export interface LoadedDataset {
  /** What results on it are called, for instance `CIFAR-10`. */
  readonly name: string
  readonly classes: ReadonlyArray<string>
  readonly train: Split
  readonly validation: Split
  readonly test: Split
  /** Mean and standard deviation of the pixels of training and validation images together. */
  readonly mean: PerChannel
  readonly std: PerChannel
  /** SHA-256 (hex) of pixels, labels and class names: two runs with the same one saw the same data. */
  readonly fingerprint: string
}

/** Something is wrong with the data; `message` says in one line what and what to do. */
export class DataError extends Data.TaggedError("DataError")<{
  readonly message: string
  readonly cause?: unknown
}> {}
