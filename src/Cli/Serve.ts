/** `shakedrop serve`: runs and ensembles behind HTTP. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { flags } from "./Serve/Flags.ts"

export const serveCommand = Command.make(
  "serve",
  flags,
  Effect.fn("serve command")(function* (input) {
    const { runServe } = yield* Effect.promise(() => import("./Serve/RunServe.ts"))
    yield* runServe(input)
  })
).pipe(
  Command.withDescription("Serve runs and ensembles over HTTP, with a page to try them"),
  Command.withExamples([
    {
      command: "shakedrop serve runs/quickstart",
      description: "On http://127.0.0.1:8080, where a browser shows the page"
    },
    {
      command: "shakedrop serve runs/a --model best=five.json --host 0.0.0.0 --tokens tokens.txt",
      description: "A run and an ensemble, for other machines that have a token"
    }
  ])
)
