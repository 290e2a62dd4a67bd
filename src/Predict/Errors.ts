import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** A file of tensors is damaged, or has no input of the wanted shape. */
  "Tensors",
  /** The configuration of a model is wrong. */
  "Model",
  /** There are no images. */
  "NoImages",
  /** Some of the images could not be read. */
  "UnreadableImages",
  /** Flags contradict each other, or some are missing. */
  "Contradiction"
])

/** Nothing, or not everything, can be predicted; `message` says why in one line. */
export class PredictError extends Schema.TaggedError<PredictError>()("PredictError", {
  reason: Reason,
  message: Schema.String
}) {}
