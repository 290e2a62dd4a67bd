/** `shakedrop ensemble search`: weights and temperature from the validation split. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { withShownDefault } from "../Shared/Flags.ts"
import { writtenTo } from "../Shared/Paths.ts"
import { checkMembers, configOf, ensembleFlags, openPrepared } from "./Input.ts"

/** The name of the ensemble in a file: that of the file, where it is one for a folder. */
const nameOf = (file: string): string | undefined => {
  const { name } = path.parse(file)
  return /^[\w.-]+$/.test(name) ? name : undefined
}

export const searchEnsembleCommand = Command.make(
  "search",
  {
    ...ensembleFlags,
    method: Flag.Literals("method", ["equal", "greedy", "convex"]).pipe(
      withShownDefault(
        "Equal weights, greedy selection with replacement, or the convex weights of least cross entropy; the temperature is fitted with each",
        "greedy"
      )
    ),
    split: Flag.String("split").pipe(
      withShownDefault("Which images: validation, the only ones to choose by", "validation")
    ),
    out: writtenTo("out", "file").pipe(
      Flag.withDescription("Where the ensemble with these weights is written")
    )
  },
  Effect.fn("ensemble search")(function* ({ device, method, out, split, ...input }) {
    const { Dataset } = yield* Effect.promise(() => import("../../Data.ts"))
    const { EnsembleError, searchEnsemble } = yield* Effect.promise(() => import("../../Ensemble.ts"))
    const { writeFileAtomic } = yield* Effect.promise(() => import("../../Platform/Files.ts"))
    if (split !== "validation") {
      return yield* new EnsembleError({
        reason: "Search",
        message: `weights are searched for on the validation split, not on ${split}: what was chosen by images cannot be measured on them`
      })
    }
    const config = yield* configOf(input)
    yield* checkMembers(config)
    const { ensemble, found } = yield* Effect.gen(function* () {
      const ensemble = yield* openPrepared(config, "validation", device)
      return { ensemble, found: yield* searchEnsemble(ensemble, method) }
    }).pipe(Effect.provide(Dataset.layer(config.data)))
    // Its report has a folder of its own.
    const named = { ...found, name: nameOf(out) ?? found.name }
    yield* writeFileAtomic(out, `${JSON.stringify(named, null, 2)}\n`)
    const width = Math.max(...ensemble.members.map(({ name }) => name.length))
    for (const [m, { name }] of ensemble.members.entries()) {
      yield* Console.log(`${name.padEnd(width)}  ${found.members[m].weight.toFixed(3)}`)
    }
    if (found.temperature !== undefined) yield* Console.log(`temperature  ${found.temperature.toFixed(3)}`)
    yield* Console.log(`${found.selection}; written to ${out}`)
  })
).pipe(
  Command.withDescription("Find the members' weights, and a temperature, on the validation images"),
  Command.withExamples([
    {
      command: "shakedrop ensemble search five.json --out found.json",
      description: "found.json is the same ensemble with the weights that were found"
    }
  ])
)
