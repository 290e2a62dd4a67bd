/** `shakedrop ui`: a page on the runs of a folder, live while they are trained. */
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { withShownDefault } from "./Shared/Flags.ts"

export const uiCommand = Command.make(
  "ui",
  {
    runs: Argument.String("runs").pipe(
      Argument.withDescription("The folder with runs, or a run's (default: runs)"),
      Argument.withDefault("runs")
    ),
    host: Flag.String("host").pipe(
      withShownDefault("Where to listen; whoever reaches it can read the runs", "127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
      withShownDefault("On which port; 0 for one that is free", 7007)
    )
  },
  Effect.fn("ui command")(function* ({ host, port, runs }) {
    const { watch } = yield* Effect.promise(() => import("../Watch.ts"))
    yield* Console.log(`${runs}  ${yield* watch({ root: runs, host, port })}`)
    return yield* Effect.never
  }, Effect.scoped)
).pipe(
  Command.withDescription("Show the runs of a folder on a page, live while they are trained"),
  Command.withExamples([
    { command: "shakedrop ui", description: "The runs in runs/, on http://127.0.0.1:7007/" },
    { command: "shakedrop ui /data/runs --port 8000", description: "Those of another folder" }
  ])
)
