/** `shakedrop models`: the networks that there are, with what they cost and where they come from. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

/** What the counts are for. */
const DATA = { classes: 10, size: { height: 32, width: 32 } }

/** A number of multiply-adds in the unit that keeps it readable. */
const scaled = (count: number): string =>
  count >= 1e9 ? `${(count / 1e9).toFixed(2)} G` : `${(count / 1e6).toFixed(0)} M`

export const modelsCommand = Command.make(
  "models",
  {
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("One line of JSON for each, with its configuration"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("models command")(function* ({ json }) {
    const { makeNetwork } = yield* Effect.promise(() => import("../Model.ts"))
    const { published } = yield* Effect.promise(() => import("../Model/Catalogue.ts"))
    const rows = published.map(({ config, source }) => {
      const { multiplyAdds, name, parameters } = makeNetwork(config, DATA)
      return { name, parameters, multiplyAdds, source, config }
    })
    if (json) return yield* Console.log(rows.map((row) => JSON.stringify(row)).join("\n"))
    const table = [
      ["network", "parameters", "multiply-adds", "paper"],
      ...rows.map(({ multiplyAdds, name, parameters, source }) => [
        name,
        parameters.toLocaleString("en"),
        scaled(multiplyAdds),
        source
      ])
    ]
    const [names, ...numbers] = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)))
    const lines = table.map(([name, parameters, multiplyAdds, source]) =>
      [name.padEnd(names), parameters.padStart(numbers[0]), multiplyAdds.padStart(numbers[1]), source].join(
        "  "
      )
    )
    yield* Console.log(
      [
        ...lines,
        "",
        `Counts are for ${DATA.classes} classes and images of ${DATA.size.height}×${DATA.size.width}; any depth, width and block can be set (--json shows how).`
      ].join("\n")
    )
  })
).pipe(
  Command.withDescription("List the networks with their parameters, multiply-adds and papers"),
  Command.withExamples([
    { command: "shakedrop models --json", description: "With the configuration of each" }
  ])
)
