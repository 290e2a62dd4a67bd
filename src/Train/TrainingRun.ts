/** A training that is under way: what the effects that it is made of share. */
import type { Augmenter } from "../Augment.ts"
import type { Experiment } from "../Config.ts"
import type { LoadedDataset } from "../Data.ts"
import type { ReplicasShape } from "../Distributed.ts"
import type { Network } from "../Model/Network.ts"
import type { Contents } from "../Registry.ts"
import type { RunConfig } from "./Run/RunConfig.ts"
import type { RunFolder } from "./Run/RunFolder.ts"
import type { Saved } from "./Run/SavedState.ts"
import type { Images } from "./Step/EntryPoints.ts"
import type { TrainingProgram } from "./Step/TrainingProgram.ts"

export interface TrainingRun {
  readonly experiment: Experiment
  readonly network: Network
  readonly images: Images
  readonly dataset: LoadedDataset
  readonly augmenter: Augmenter
  readonly program: TrainingProgram
  readonly folder: RunFolder["Service"]
  /** Those that the training is shared by. */
  readonly replicas: ReplicasShape
  /** What the experiment's names stand for. */
  readonly registry: Contents
}

/** A training before its first step. */
export interface PreparedRun extends TrainingRun {
  /** What `config.json` says of it, or will say. */
  readonly config: RunConfig
  /** Where it stands; the program has that state. */
  readonly saved: Saved
}
