/** What the help of a command is made from, as data: among it the flags that it takes. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import { shakedrop } from "../../../Cli.ts"

/** Whether a command takes a flag, its own or one that all commands take (`plugin`). */
export const takesFlag = ({ flags, inheritedFlags = [] }: HelpDoc, name: string): boolean =>
  [...flags, ...inheritedFlags].some((flag) => flag.name === name)

/** The help of the command that arguments call; undefined where they call none. */
export const helpOf = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  let doc: HelpDoc | undefined
  const listener = CliOutput.layerPresenter({
    present: (event) =>
      Effect.sync(() => {
        if (event._tag !== "Version") doc = event.helpDoc
      })
  })
  const words = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length)
  yield* Effect.ignore(
    Command.runWith(shakedrop, { version: "" })([...words, "--help"]).pipe(Effect.provide(listener))
  )
  return doc
})
