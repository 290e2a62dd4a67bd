/** What goes wrong before a server is ready, and what is wrong with one request. */
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** The address cannot be listened on: it is taken, not allowed, or not of this machine. */
  "Address",
  /** Models are named twice, or their names cannot stand in an address. */
  "Names",
  /** The file of tokens is not one. */
  "Tokens",
  /** A network answered with NaN or infinity. */
  "NotFinite"
])

/** Nothing can be served, or a model cannot be; `message` says why in one line. */
export class ServeError extends Schema.TaggedError<ServeError>()("ServeError", {
  reason: Reason,
  message: Schema.String
}) {}

/** A request is refused; `message` is what its sender is told, and has nothing of the machine in it. */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly status: number
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
  /** A word for metrics where the server refused by itself, not for what the request said. */
  readonly limit?: "waiting" | "memory" | "time"
}> {}

/** What was sent is wrong. */
export const badRequest = (message: string): Refusal => new Refusal({ status: 400, message })

/** The server has more to do than it keeps waiting. */
export const overloaded = (limit: "waiting" | "memory", message: string): Refusal =>
  new Refusal({ status: 503, message, limit, headers: { "retry-after": "1" } })
