import * as Data from "effect/Data"

/** An ensemble cannot be made, asked or searched; `message` says why in one line. */
export class EnsembleError extends Data.TaggedError("EnsembleError")<{ readonly message: string }> {}
