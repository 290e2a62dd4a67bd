/**
 * What the parts of the data layer share: images, splits, a loaded data set and its error.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

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

const Reason = Schema.Literals([
  /** A folder does not hold the data set. */
  "NotThere",
  /** Several folders hold it. */
  "Ambiguous",
  /** A file is missing, cut off, or not as published. */
  "Damaged",
  /** An image cannot be read. */
  "UnreadableImage",
  /** The images take more memory than there is. */
  "TooLarge",
  /** A download's address is none. */
  "Mirror",
  /** A server cannot be reached, or the connection is lost again and again. */
  "Unreachable",
  /** A server's certificate is not one of an authority that is known here. */
  "Untrusted",
  /** A server does not give the file. */
  "Refused",
  /** A server has another file. */
  "OtherFile",
  /** Another file is where a download was to go. */
  "InTheWay",
  /** Another process downloads the same file. */
  "InUse",
  /** Anything else; `message` says what. */
  "Other"
])

/** Something is wrong with the data; `message` says in one line what. */
export class DataError extends Schema.TaggedError<DataError>()("DataError", {
  reason: Reason.pipe(Schema.withConstructorDefault(Effect.succeed("Other" as const))),
  /** The data set that can be downloaded, where it is about one. */
  dataset: Schema.optionalKey(Schema.Literals(["cifar10", "cifar100"])),
  /** The file or folder that it is about. */
  path: Schema.optionalKey(Schema.String),
  message: Schema.String,
  cause: Schema.optional(Schema.Unknown)
}) {}
