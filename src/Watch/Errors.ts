/** Why the page on runs cannot be shown. */
import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** There is no such folder. */
  "NoFolder",
  /** Another program listens on the port. */
  "PortTaken",
  /** The port, or the address, cannot be listened on. */
  "NotAllowed"
])

/** The page on runs cannot be shown; `message` says why in one line. */
export class WatchError extends Schema.TaggedError<WatchError>()("WatchError", {
  reason: Reason,
  message: Schema.String
}) {}
