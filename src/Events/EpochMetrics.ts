/** The numbers of an epoch: what is told when it is done, and a line of `metrics.jsonl`. */
import * as Schema from "effect/Schema"
import { withDefault } from "../Config/Fields.ts"

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
  valAccuracy: Measured,
  /** On the validation split with the averaged weights; null where there are none. */
  emaAccuracy: Measured,
  /** On the validation split with the mean of the weights (SWA); null where there is none. */
  swaAccuracy: Measured.pipe(withDefault(null)),
  imagesPerSecond: Schema.Finite,
  /** Of training, evaluation included. */
  seconds: Schema.Finite,
  /** Share of the training time that went into waiting for batches. */
  waitShare: Schema.Finite
})
export type EpochMetrics = typeof EpochMetrics.Type
