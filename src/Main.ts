#!/usr/bin/env node
/**
 * The program: runs the command line.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { asProcess } from "./Cli/Shared/AsProcess.ts"
import { output } from "./Cli/Shared/Output.ts"
import { reportFailure } from "./Cli/Shared/ReportFailure.ts"
import { showEvents } from "./Cli/Shared/ShowEvents.ts"
import { shakedrop } from "./Cli.ts"
import { Events } from "./Events.ts"
import { VERSION } from "./Platform/Version.ts"

Command.run(shakedrop, { version: VERSION }).pipe(
  asProcess,
  Effect.provideServiceEffect(Events, showEvents()),
  Effect.scoped,
  Effect.tapCause(reportFailure),
  Effect.provide([NodeServices.layer, output]),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
