#!/usr/bin/env node
/**
 * The program: runs the command line.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { asProcess } from "./Cli/Shared/AsProcess.ts"
import { explain } from "./Cli/Shared/Explain.ts"
import { output } from "./Cli/Shared/Output.ts"
import { shakedrop } from "./Cli.ts"
import { VERSION } from "./Platform/Version.ts"

/** A user's mistake is one line; a mistake of ours is shown whole. The command line shows its own errors itself. */
const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Cause.squash(cause)
  if (CliError.isCliError(error)) return Effect.void
  return Console.error(
    Cause.hasDies(cause)
      ? `shakedrop: internal error, please report it\n${Cause.pretty(cause)}`
      : `shakedrop: ${explain(error as Error)}`
  )
}

Command.run(shakedrop, { version: VERSION }).pipe(
  asProcess,
  Effect.tapCause(report),
  Effect.provide([NodeServices.layer, output]),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
