/**
 * From a configuration to a data set that is loaded, split and measured.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { atLeast, seed, withDefault } from "../Config/Fields.ts"
import type { StorageError } from "../Platform/Files.ts"
import { loadCifar } from "./Cifar.ts"
import { imageFolder } from "./ImageFolder.ts"
import type { LabelledImages } from "./Labelled.ts"
import { shapes } from "./Shapes.ts"
import { stratifiedSplit } from "./Split.ts"
import { channelStatistics, fingerprint } from "./Statistics.ts"
import { DataError, type LoadedDataset, type Split } from "./Types.ts"

const Side = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4096 }))

/** Which data set, where it lies, and how it is split. */
export const DataConfig = Schema.Struct({
  dataset: Schema.Literals(["shapes", "cifar10", "cifar100", "folder"]),
  /** The folder with the archive, its unpacked files or the images; `shapes` needs none. */
  directory: Schema.optionalKey(Schema.NonEmptyString),
  /** Which labels of CIFAR-100: 100 fine or 20 coarse classes. */
  labels: Schema.Literals(["fine", "coarse"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("fine"))),
  /** Training images held out for validation; a tenth of them unless given. */
  validation: Schema.optionalKey(atLeast(0)),
  /** Pixels that the images of a folder are resized to: a side, or height and width. */
  size: Schema.Union([Side, Schema.Tuple([Side, Side])]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(32))
  ),
  /** Leave unreadable images of a folder out, with a warning, instead of failing. */
  skipUnreadable: Schema.Boolean.pipe(withDefault(false)),
  /** Seed of the validation split; the test set never depends on it. */
  seed: seed.pipe(withDefault(0))
}).check(
  Schema.makeFilter((config) =>
    config.dataset === "shapes" || config.directory !== undefined
      ? undefined
      : {
          path: ["directory"],
          issue: `the data set ${config.dataset} needs the folder that it lies in (directory, or --data-dir)`
        }
  )
)
export type DataConfig = typeof DataConfig.Type

const decode = Schema.decodeUnknownEffect(DataConfig, { errors: "all", onExcessProperty: "error" })

/** Decodes a configuration of the data alone; what is wrong with it becomes one line. */
export const decodeConfig = (input: unknown): Effect.Effect<DataConfig, DataError> =>
  decode(input).pipe(
    Effect.mapError(
      (error) => new DataError({ message: error.message.replace(/\s*\n\s*/g, " "), cause: error })
    )
  )

export interface LoadOptions {
  /** Called after each image that is decoded for the cache of an image folder. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

const labelled = (
  config: DataConfig,
  options: LoadOptions
): Effect.Effect<LabelledImages, DataError | StorageError> => {
  const { directory = "" } = config
  switch (config.dataset) {
    case "shapes":
      return Effect.sync(() => shapes())
    case "cifar10":
      return loadCifar("cifar10", directory)
    case "cifar100":
      return loadCifar(config.labels === "fine" ? "cifar100-fine" : "cifar100-coarse", directory)
    case "folder":
      return imageFolder(directory, {
        size: typeof config.size === "number" ? [config.size, config.size] : config.size,
        skipUnreadable: config.skipUnreadable,
        onProgress: options.onProgress
      })
  }
}

export interface SplitOptions {
  /** Training images held out for validation; a tenth of them unless given. */
  readonly validation?: number | undefined
  /** Which ones; 0 unless given. */
  readonly seed?: number | undefined
}

/**
 * A data set from labelled images: holds a stratified part of the training images out for validation, and measures
 * mean, standard deviation and fingerprint.
 *
 * @errors DataError where a class would be left without a training image
 */
export const splitDataset = Effect.fn("splitDataset")(function* (
  { classes, name, test, train }: LabelledImages,
  { seed = 0, validation = Math.round(train.labels.length / 10) }: SplitOptions = {}
) {
  const split = yield* stratifiedSplit(train.labels, classes, validation, seed)
  const of = (images: LabelledImages["train"], indices: Uint32Array): Split => ({ ...images, indices })
  return {
    name,
    classes,
    train: of(train, split.train),
    validation: of(train, split.validation),
    test: of(test, Uint32Array.from(test.labels.keys())),
    ...channelStatistics(train.images),
    fingerprint: fingerprint({ classes, train, test })
  } satisfies LoadedDataset
})

/** Loads and splits the data set that a configuration names. */
export const load = Effect.fn("loadDataset")(function* (config: DataConfig, options: LoadOptions = {}) {
  const loaded: LoadedDataset = yield* splitDataset(yield* labelled(config, options), config)
  return loaded
})
