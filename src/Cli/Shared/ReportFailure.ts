/** What a person at a terminal is told when a command fails. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import { printable } from "../../Platform/Text.ts"
import { explain } from "./Explain.ts"
import { helpOf } from "./Usage/Help.ts"

/** A user's mistake is one line; a mistake of ours is shown whole. The command line shows its own errors itself. */
export const reportFailure = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
  if (Cause.hasInterruptsOnly(cause)) return
  const error = Cause.squash(cause)
  if (CliError.isCliError(error)) return
  if (Cause.hasDies(cause)) {
    return yield* Console.error(
      `shakedrop: internal error, please report it\n${printable(Cause.pretty(cause))}`
    )
  }
  const doc = yield* helpOf(process.argv.slice(2))
  const has = (flag: string) => doc?.flags.some(({ name }) => name === flag) ?? true
  yield* Console.error(`shakedrop: ${explain(error, has)}`)
})
