/** `shakedrop recipes`: the named experiments and ensembles, and what is known of one. */
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { EnsembleRecipe, Recipe } from "../Recipe.ts"

/** The longest line that stays easy to read. */
const WIDTH = 100

/** A named paragraph, broken between words and indented under its name. */
const paragraph = (name: string, text: string): string => {
  const indent = 10
  const lines = [""]
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1]
    if (line !== "" && indent + line.length + word.length >= WIDTH) lines.push(word)
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`
  }
  return `${name.padEnd(indent)}${lines.join(`\n${" ".repeat(indent)}`)}`
}

type Any = Recipe | EnsembleRecipe

const measuredAs = ({ measured }: Any): string =>
  measured === undefined
    ? "not measured yet"
    : `${measured.accuracy}; ${measured.data}; ${measured.hardware}; ${measured.time}${measured.flags === undefined ? "" : `; with ${measured.flags}`}`

const describe = (recipe: Any): string => {
  const whole = "ensemble" in recipe ? recipe.ensemble : recipe.experiment
  const { data, name } = whole
  const directory = data.dataset === "shapes" ? "" : " --data-dir DIR"
  return [
    `${name}: ${recipe.summary}`,
    "",
    paragraph("source", recipe.source),
    paragraph("expected", recipe.expected),
    paragraph("measured", measuredAs(recipe)),
    paragraph("command", `shakedrop train --recipe ${name}${directory}`),
    "",
    JSON.stringify(whole, null, 2)
  ].join("\n")
}

const showCommand = Command.make(
  "show",
  { name: Argument.String("name").pipe(Argument.withDescription("A recipe's name")) },
  Effect.fn("recipes show")(function* ({ name }) {
    const { findAny } = yield* Effect.promise(() => import("../Recipe.ts"))
    yield* Console.log(describe(yield* findAny(name)))
  })
).pipe(
  Command.withDescription("Source, expected and measured result, command and configuration of a recipe"),
  Command.withExamples([
    { command: "shakedrop recipes show pyramidnet-small", description: "A network with ShakeDrop" }
  ])
)

export const recipesCommand = Command.make(
  "recipes",
  {},
  Effect.fn("recipes")(function* () {
    const { ensembleRecipes, recipes } = yield* Effect.promise(() => import("../Recipe.ts"))
    const all = { ...recipes, ...ensembleRecipes }
    const width = Math.max(...Object.keys(all).map(({ length }) => length))
    for (const [name, { summary }] of Object.entries(all)) {
      yield* Console.log(`${name.padEnd(width)}  ${summary}`)
    }
  })
).pipe(
  Command.withDescription("List the named experiments and ensembles"),
  Command.withExamples([{ command: "shakedrop recipes", description: "All, a line each" }]),
  Command.withSubcommands([showCommand])
)
