import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** The run of a member has no such checkpoint. */
  "NoCheckpoint",
  /** The checkpoint of a member is damaged, or was replaced meanwhile. */
  "DamagedCheckpoint",
  /** The run of a member keeps no such weights. */
  "NoWeights",
  /** There is no finished run of a member, and the ensemble does not say what to train. */
  "NoRun",
  /** Members do not fit each other, the data, or the views. */
  "DoesNotFit",
  /** The outputs of a member have not been computed. */
  "NotPrepared",
  /** A soup needs a data set to measure its batch statistics on. */
  "NoData",
  /** A soup cannot teach. */
  "NotATeacher",
  /** What is asked for cannot be searched for. */
  "Search",
  /** Flags contradict each other. */
  "Contradiction"
])

/** An ensemble cannot be made, asked or searched; `message` says why in one line. */
export class EnsembleError extends Schema.TaggedError<EnsembleError>()("EnsembleError", {
  reason: Reason,
  message: Schema.String
}) {}
