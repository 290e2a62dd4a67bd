/** Why a run cannot be started, continued or read. */
import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** The name of a folder is empty, or is that of a file. */
  "NotAFolder",
  /** There is a run in the folder already. */
  "AlreadyThere",
  /** Another process trains the run. */
  "InUse",
  /** The folder was removed, moved or replaced while its run was trained. */
  "FolderGone",
  /** There is no run in the folder, or of the name. */
  "NoRun",
  /** The run's configuration is of another version, or is wrong. */
  "Unreadable",
  /** The run needs a plugin that is not loaded. */
  "MissingPlugin",
  /** The run was begun with another configuration. */
  "Changed",
  /** The run was trained on other data. */
  "OtherData",
  /** The data are no longer where the run had them. */
  "DataGone",
  /** The experiment does not fit the data: its classes, or its batch size. */
  "DoesNotFit",
  /** Training the network takes more memory than there is. */
  "TooLarge",
  /** The run has no such checkpoint. */
  "NoCheckpoint",
  /** The best checkpoint is damaged or missing; there may be others. */
  "DamagedBest",
  /** The checkpoint that is needed is damaged, and no other can stand in for it. */
  "DamagedCheckpoint",
  /** The run keeps no such weights, or cannot give them yet. */
  "NoWeights",
  /** The file of weights to start from is not there. */
  "NoInitialWeights",
  /** The file of weights to start from is damaged, or does not fit the network. */
  "InitialWeights",
  /** The run cannot be a teacher. */
  "NotATeacher",
  /** A flag contradicts what is asked for. */
  "Contradiction"
])

/** A run cannot be started, continued or read; `message` says why in one line. */
export class RunError extends Schema.TaggedError<RunError>()("RunError", {
  reason: Reason,
  message: Schema.String,
  /** The run's folder, where the error is about one. */
  directory: Schema.optionalKey(Schema.String)
}) {}
