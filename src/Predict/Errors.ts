import * as Data from "effect/Data"

/** A network cannot be used or written as asked; `message` says why in one line. */
export class ServeError extends Data.TaggedError("ServeError")<{ readonly message: string }> {}
