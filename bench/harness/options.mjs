/** What a program of bench/ is told on its command line. */
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { fileOf } from "./child.mjs"

/** Ends the process with a line that says what is wrong. */
export const fail = (message) => {
  console.error(message)
  process.exit(1)
}

const parse = (usage, names, flags) => {
  try {
    return parseArgs({
      options: {
        ...Object.fromEntries(["rounds", "out", ...names].map((name) => [name, { type: "string" }])),
        ...Object.fromEntries(["quick", ...flags].map((name) => [name, { type: "boolean", default: false }])),
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (error) {
    return fail(`${error.message}\n${usage}`)
  }
}

/**
 * `--rounds`, `--out`, `--quick`, the options of other names, which are texts, and the flags. A quick run makes one
 * round unless told otherwise, and leaves the results in docs/ alone.
 */
export const readOptions = (usage, names, defaultRounds, flags = []) => {
  const { help, ...given } = parse(usage, names, flags)
  if (help) {
    console.log(usage)
    process.exit(0)
  }
  const rounds = Number(given.rounds ?? (given.quick ? 1 : defaultRounds))
  if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds is a number from 1, not ${given.rounds}`)
  const folder = given.quick ? path.join(os.tmpdir(), "shakedrop-bench-quick") : fileOf("../docs")
  return { ...given, rounds, out: path.resolve(given.out ?? folder) }
}
