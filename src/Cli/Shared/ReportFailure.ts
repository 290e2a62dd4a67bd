/** What a person at a terminal is told when a command fails. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import { printable } from "../../Platform/Text.ts"
import { explain } from "./Explain.ts"

/** A user's mistake is one line; a mistake of ours is shown whole. The command line shows its own errors itself. */
export const reportFailure = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Cause.squash(cause)
  if (CliError.isCliError(error)) return Effect.void
  return Console.error(
    Cause.hasDies(cause)
      ? `shakedrop: internal error, please report it\n${printable(Cause.pretty(cause))}`
      : `shakedrop: ${explain(error)}`
  )
}
