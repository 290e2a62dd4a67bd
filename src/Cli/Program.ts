/** Runs the command line: its commands with what a process needs around them. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { defaultTeardown } from "effect/Runtime"
import { shakedrop } from "../Cli.ts"
import { Events } from "../Events.ts"
import { VERSION } from "../Platform/Version.ts"
import { asProcess } from "./Shared/AsProcess.ts"
import { reportFailure } from "./Shared/ReportFailure.ts"
import { showEvents } from "./Shared/ShowEvents.ts"
import { output } from "./Shared/Usage/Output.ts"

Command.run(shakedrop, { version: VERSION }).pipe(
  asProcess,
  Effect.provideServiceEffect(Events, showEvents()),
  Effect.scoped,
  Effect.tapCause(reportFailure),
  Effect.provide([NodeServices.layer, output]),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    // A server that was told to end, and did so in order, has not failed.
    teardown: (exit, done) => defaultTeardown(exit, (code) => done(process.exitCode === 0 ? 0 : code))
  })
)
