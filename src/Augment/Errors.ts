import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** A file with a policy cannot be read, or has none. */
  "Policy",
  /** A pipeline is wrong. */
  "Pipeline",
  /** The data set has no such image. */
  "NoImage",
  /** A step failed on an image. */
  "Step",
  /** A thread that makes batches ended. */
  "ThreadEnded",
  /** Run from its source, the library has threads only where the build is of that source. */
  "StaleBuild"
])

/** Images could not be augmented; `message` names the image and the operation, or what is wrong with the pipeline. */
export class AugmentError extends Schema.TaggedError<AugmentError>()("AugmentError", {
  reason: Reason,
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
