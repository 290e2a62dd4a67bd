/** The numbers of an epoch: what is told when it is done, and a line of `metrics.jsonl`. */
import * as Schema from "effect/Schema"

const Measured = Schema.NullOr(Schema.Finite)

export const EpochMetrics = Schema.Struct({
  /** Epochs and steps done since the start. */
  epoch: Schema.Int,
  step: Schema.Int,
  /** Learning rate of the epoch's last step. */
  lr: Schema.Finite,
  /** Means over the epoch's augmented batches, while the weights changed. */
  trainLoss: Schema.Finite,
  trainAccuracy: Schema.Finite,
  /** On the validation split with the raw weights; null where the epoch was not evaluated. */
  valLoss: Measured,
  /** On the validation split, by the names of the weights that the run keeps; null where they were not evaluated. */
  accuracy: Schema.Record(Schema.String, Measured),
  imagesPerSecond: Schema.Finite,
  /** Of training, evaluation included. */
  seconds: Schema.Finite,
  /** Share of the training time that went into waiting for batches. */
  waitShare: Schema.Finite
})
export type EpochMetrics = typeof EpochMetrics.Type
