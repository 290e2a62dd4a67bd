import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** A network has an operation that the format has no word for. */
  "Operation",
  /** The format cannot say what was asked for. */
  "Form"
])

/** A network cannot be written in a format; `message` says why in one line. */
export class ExportError extends Schema.TaggedError<ExportError>()("ExportError", {
  reason: Reason,
  message: Schema.String
}) {}
