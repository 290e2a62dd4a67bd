/**
 * The data set as a service: images of one size in shared memory, their labels, and three splits.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { DataConfig } from "./Config/Data.ts"
import { load } from "./Data/Load.ts"
import type { DataError, LoadedDataset } from "./Data/Types.ts"
import type { StorageError } from "./Platform/Files.ts"

export { DataConfig } from "./Config/Data.ts"
export type { LabelledImages } from "./Data/Labelled.ts"
export {
  decodeConfig,
  load,
  type SplitOptions,
  splitDataset
} from "./Data/Load.ts"
export * from "./Data/Types.ts"

export class Dataset extends Context.Service<Dataset, LoadedDataset>()("shakedrop/Data/Dataset") {
  /** The data set that a configuration names, loaded and split. */
  static readonly layer = (config: DataConfig): Layer.Layer<Dataset, DataError | StorageError> =>
    Layer.effect(Dataset, load(config))
}
