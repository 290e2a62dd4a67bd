/**
 * From a configuration to a data set that is loaded, split and measured.
 */
import * as Effect from "effect/Effect"
import { DataConfig } from "../Config/Data.ts"
import { decodeStrictly } from "../Config/Decode.ts"
import { warning } from "../Events.ts"
import type { StorageError } from "../Platform/Files.ts"
import { loadCifar } from "./Cifar.ts"
import { imageFolder } from "./ImageFolder.ts"
import type { LabelledImages } from "./Labelled.ts"
import { shapes } from "./Shapes.ts"
import { stratifiedSplit } from "./Split.ts"
import { channelStatistics, fingerprint } from "./Statistics.ts"
import { DataError, type LoadedDataset, type Split } from "./Types.ts"

/** Decodes a configuration of the data alone. */
export const decodeConfig = (input: unknown): Effect.Effect<DataConfig, DataError> =>
  Effect.mapError(decodeStrictly(DataConfig, input), ({ message }) => new DataError({ message }))

const labelled = (config: DataConfig): Effect.Effect<LabelledImages, DataError | StorageError> => {
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
        skipUnreadable: config.skipUnreadable
      })
  }
}

export interface SplitOptions {
  /** Training images held out for validation; a tenth unless given. A data set may have its own. */
  readonly validation?: number | undefined
  /** Which ones; 0 unless given. */
  readonly seed?: number | undefined
}

/** Indices of the training images and of those for validation. */
const splitTraining = Effect.fnUntraced(function* (
  { classes, train: { labels }, validation: own }: LabelledImages,
  { seed = 0, validation }: SplitOptions
) {
  if (own === undefined) {
    const held = validation ?? Math.round(labels.length / 10)
    return yield* stratifiedSplit(labels, classes, held, seed)
  }
  if (validation !== undefined && validation !== own) {
    yield* warning(
      `the data set has ${own} validation images of its own: they are taken, and not ${validation} of the training images`
    )
  }
  const indices = Uint32Array.from(labels.keys())
  const first = labels.length - own
  return { train: indices.subarray(0, first), validation: indices.subarray(first) }
})

/**
 * A data set from labelled images: takes its validation images, or holds a stratified part of the training images out
 * for it, and measures mean, standard deviation and fingerprint.
 *
 * @errors DataError where a class would be left without a training image
 */
export const splitDataset = Effect.fn("splitDataset")(function* (
  images: LabelledImages,
  options: SplitOptions = {}
) {
  const { classes, name, test, train } = images
  const split = yield* splitTraining(images, options)
  const statistics = channelStatistics(train.images)
  const constant = ["red", "green", "blue"].filter((_, channel) => statistics.std[channel] === 1)
  if (constant.length > 0) {
    yield* warning(
      `the ${constant.join(" and ")} of every training image is one value: its deviation counts as 1`
    )
  }
  const of = (images: LabelledImages["train"], indices: Uint32Array): Split => ({ ...images, indices })
  return {
    name,
    classes,
    train: of(train, split.train),
    validation: of(train, split.validation),
    test: of(test, Uint32Array.from(test.labels.keys())),
    ...statistics,
    fingerprint: fingerprint(images)
  } satisfies LoadedDataset
})

/** Loads and splits the data set that a configuration names. */
export const load = Effect.fn("loadDataset")(function* (config: DataConfig) {
  const loaded: LoadedDataset = yield* splitDataset(yield* labelled(config), config)
  return loaded
})
