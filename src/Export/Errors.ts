import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** A network has an operation that the format has no word for. */
  "Operation",
  /** The format cannot say what was asked for. */
  "Form",
  /** An ensemble cannot be one graph. */
  "Ensemble",
  /** The program that would run an export is not installed. */
  "NoRuntime",
  /** An export gives other numbers than the network that it was made of. */
  "OtherNumbers"
])

/** A network cannot be written in a format, or what was written is not as it should be; `message` says why in one line. */
export class ExportError extends Schema.TaggedError<ExportError>()("ExportError", {
  reason: Reason,
  message: Schema.String
}) {}
