/** What a person at a terminal is told when a command fails. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { printable } from "../../Platform/Text.ts"
import { explain } from "./Explain.ts"
import { helpOf, takesFlag } from "./Usage/Help.ts"

/** A user's mistake is one line; a mistake of ours is shown whole. The command line shows its own errors itself. */
export const reportFailure = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
  if (Cause.hasInterruptsOnly(cause)) return
  const error = Cause.squash(cause)
  if (CliError.isCliError(error)) return
  // Modules are loaded when they are needed, and Node's loader has many open at once.
  if (Predicate.hasProperty(error, "code") && error.code === "EMFILE") {
    return yield* Console.error("shakedrop: too many open files: raise the limit (`ulimit -n 1024`)")
  }
  if (Cause.hasDies(cause)) {
    return yield* Console.error(
      `shakedrop: internal error, please report it\n${printable(Cause.pretty(cause))}`
    )
  }
  const doc = yield* helpOf(process.argv.slice(2))
  const has = (flag: string) => doc === undefined || takesFlag(doc, flag)
  yield* Console.error(`shakedrop: ${explain(error, has)}`)
})
