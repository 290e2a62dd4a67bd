/** Which data set an experiment is about, as data. */
import * as Schema from "effect/Schema"
import { atLeast, pixels, seed, withDefault } from "./Fields.ts"

/** Data sets whose archives can be downloaded. */
export const DOWNLOADED = ["cifar10", "cifar100"] as const

/** Every data set by its name. */
export const DATASETS = ["shapes", ...DOWNLOADED, "folder"] as const

/** Which data set, where it lies, and how it is split. */
export const DataConfig = Schema.Struct({
  dataset: Schema.Literals(DATASETS),
  /** The folder with the archive, its unpacked files or the images; `shapes` needs none. */
  directory: Schema.optionalKey(Schema.NonEmptyString),
  /** Which labels of CIFAR-100: 100 fine or 20 coarse classes. */
  labels: Schema.Literals(["fine", "coarse"]).pipe(withDefault("fine")),
  /** Training images held out for validation; a tenth of them unless given. An image folder may have its own. */
  validation: Schema.optionalKey(atLeast(0)),
  /** Pixels that the images of a folder are resized to: a side, or height and width. */
  size: Schema.Union([pixels, Schema.Tuple([pixels, pixels])]).pipe(withDefault(32)),
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
          issue: `the data set ${config.dataset} needs the folder that it lies in`
        }
  )
)
export type DataConfig = typeof DataConfig.Type
/** The same as it is written. */
export type DataInput = (typeof DataConfig)["Encoded"]
