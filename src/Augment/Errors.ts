import * as Data from "effect/Data"

/** A batch could not be made; `message` names the image and the operation. */
export class AugmentError extends Data.TaggedError("AugmentError")<{
  readonly message: string
  readonly cause?: unknown
}> {}
