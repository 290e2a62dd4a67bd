/** A mistake in how a command is called, in a user's words and with what may have been meant. */
import * as fs from "node:fs"
import type * as CliError from "effect/cli/CliError"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import { anyOf } from "../../../Config/Decode/Shape.ts"
import { closest, didYouMean } from "../../../Config/Decode/Suggest.ts"
import { meantKey, meantValue } from "../../../Config/Decode/Synonyms.ts"
import { takesFlag } from "./Help.ts"

/** The key of an experiment that a flag names, for a command that takes --set. */
const meantSetting = Effect.fnUntraced(function* (name: string) {
  const { experimentKeys } = yield* Effect.promise(() => import("../../../Experiment.ts"))
  const keys = yield* experimentKeys
  return meantKey(
    name,
    keys.filter((key) => !key.includes(".")),
    keys
  )
})

/** What an unknown flag may stand for. */
const meantFlag = Effect.fnUntraced(function* (option: string, doc: HelpDoc) {
  const name = option.replace(/^-+/, "").replace(/=.*$/, "")
  const device = /^(cpu|gpu|cuda)$/i.exec(name)?.[0].toLowerCase()
  if (device !== undefined && takesFlag(doc, "device")) return `--device ${device === "cpu" ? "cpu" : "gpu"}`
  const flag = closest(
    name,
    doc.flags.map((each) => each.name)
  )
  if (flag !== undefined) return `--${flag}`
  const key = takesFlag(doc, "set") ? yield* meantSetting(name) : undefined
  return key === undefined ? undefined : `--set ${key}=…`
})

/** A folder where none is taken is mostly that of the images. */
const meantFolder = (argument: string, doc: HelpDoc): string | undefined =>
  takesFlag(doc, "data-dir") && fs.existsSync(argument) && fs.statSync(argument).isDirectory()
    ? `--data-dir ${argument}`
    : undefined

/** The choices of a flag or an argument, as the library of commands writes them: `"a" | "b"`. */
const choicesOf = (expected: string): ReadonlyArray<string> =>
  /^"[^"]*"( \| "[^"]*")*$/.test(expected) ? [...expected.matchAll(/"([^"]*)"/g)].map(([, name]) => name) : []

const expectation = (expected: string): string => {
  const choices = choicesOf(expected)
  if (choices.length > 0) return `expected ${anyOf(choices)}`
  if (/representing a finite number|^Expected an integer$/.test(expected)) return "expected an integer"
  if (expected === "string") return "expected a value"
  return expected.replace(/^Schema validation failed: /, "").replace(/^Expected:? /, "expected ")
}

/** A value that is not one of its flag's or argument's. */
const aboutValue = ({ expected: raw, kind, option, value }: CliError.InvalidValue): string => {
  const name = kind === "argument" ? `<${option}>` : `--${option}`
  const expected = expectation(raw)
  // Paths that are written to: what is wrong is told with the name already.
  if (/ to write to, but /.test(expected)) return `${name}: ${expected}`
  const got = value === "" ? "got nothing" : `got ${JSON.stringify(value)}`
  return `${name}: ${expected}, ${got}${didYouMean(meantValue(value, choicesOf(raw)))}`
}

/** A mistake in one line. */
export const describeMistake = Effect.fnUntraced(function* (error: CliError.NonShowHelpErrors, doc: HelpDoc) {
  const [first] = error.message.split("\n")
  switch (error._tag) {
    case "InvalidValue":
      return aboutValue(error)
    case "UnrecognizedOption":
      return first + didYouMean(yield* meantFlag(error.option, doc))
    case "UnknownSubcommand": {
      const commands = (doc.subcommands ?? []).flatMap((group) => group.commands.map(({ name }) => name))
      return first + didYouMean(error.suggestions[0] ?? closest(error.subcommand, commands))
    }
    case "UnexpectedArgument":
      return first + didYouMean(meantFolder(error.arguments[0], doc))
    default:
      return first
  }
})
