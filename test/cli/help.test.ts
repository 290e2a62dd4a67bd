/** What the help of each command says, and that advice names flags which there are. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { helpOf } from "../../src/Cli/Shared/Usage/Help.ts"
import { ConfigError } from "../../src/Config/Errors.ts"
import { DataError } from "../../src/Data/Types.ts"
import { OutOfMemory } from "../../src/Device/Errors.ts"
import { RunError } from "../../src/Train/Run/RunError.ts"

interface Documented {
  readonly path: ReadonlyArray<string>
  readonly doc: HelpDoc
}

const documented = (path: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Documented>, never, never> =>
  Effect.gen(function* () {
    const doc = yield* Effect.provide(helpOf(path), NodeServices.layer)
    if (doc === undefined) return assert.fail(`no help of ${path.join(" ")}`)
    const names = (doc.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
    const below = yield* Effect.forEach(names, (name) => documented([...path, name]))
    return [{ path, doc }, ...below.flat()]
  })

const all = await Effect.runPromise(documented([]))
const flagsOf = ({ flags, inheritedFlags = [] }: HelpDoc) =>
  new Set([...flags, ...inheritedFlags].map(({ name }) => name))

describe("help", () => {
  it("is that of every command", () => {
    assert.isAbove(all.length, 15)
    for (const { path, doc } of all) {
      const name = path.join(" ")
      assert.isAbove(doc.description.length, 10, name)
      assert.isAbove((doc.examples ?? []).length, 0, `${name} has no example`)
    }
  })

  it("gives examples with flags that there are", () => {
    for (const { doc } of all) {
      for (const { command } of doc.examples ?? []) {
        const words = command.split(" ")
        assert.strictEqual(words[0], "shakedrop")
        const called = all
          .filter(({ path }) => path.every((word, i) => words[i + 1] === word))
          .reduce((a, b) => (b.path.length > a.path.length ? b : a))
        const known = flagsOf(called.doc)
        for (const [, flag] of command.matchAll(/ --([a-z-]+)/g)) {
          assert.isTrue(known.has(flag) || flag === "help", command)
        }
      }
    }
  })

  it("names the folder of the data alike, and shows what holds unless it is given", () => {
    for (const { path, doc } of all) {
      for (const { description, name, type } of doc.flags) {
        const text = Option.getOrElse(description, () => "")
        const place = `${path.join(" ")} --${name}`
        assert.notStrictEqual(text, "", place)
        assert.notInclude(["dir", "data", "data-directory", "folder"], name)
        const always = ["device", "split", "workers", "image", "seed", "size", "method"]
        if (always.includes(name) && !(name === "seed" && path[0] === "train")) {
          assert.match(text, /\(default: /, place)
        }
        if (type === "boolean") assert.notInclude(text, "default")
      }
    }
  })
})

it("advice names only flags that the running command takes", () => {
  const message = "so it is"
  const errors = [
    ...RunError.fields.reason.literals.map((reason) => new RunError({ reason, message })),
    ...ConfigError.fields.reason.literals.map((reason) => new ConfigError({ reason, message })),
    ...DataError.fields.reason.schema.literals.map(
      (reason) => new DataError({ reason, message, dataset: "cifar10", path: "data" })
    ),
    new OutOfMemory({ reason: "Program", message })
  ]
  assert.isAbove(errors.length, 30)
  for (const { path, doc } of all) {
    const known = flagsOf(doc)
    for (const error of errors) {
      const told = explain(error, (flag) => known.has(flag))
      for (const [, flag] of told.replace(/`[^`]*`/g, "").matchAll(/--([a-z-]+)/g)) {
        assert.isTrue(known.has(flag), `${path.join(" ")}: ${told}`)
      }
      for (const [, command] of told.matchAll(/`(?:npx )?shakedrop ([^`]*)`/g)) {
        const words = command.split(" ")
        const called = all.findLast(
          ({ path }) => path.length > 0 && path.every((word, i) => words[i] === word)
        )
        for (const [, flag] of command.matchAll(/--([a-z-]+)/g)) {
          assert.isTrue(called !== undefined && flagsOf(called.doc).has(flag), told)
        }
      }
    }
  }
  const unreadable = new DataError({ reason: "UnreadableImage", message })
  const adviceIn = (...path: ReadonlyArray<string>) => {
    const { doc } =
      all.find((each) => each.path.join(" ") === path.join(" ")) ?? assert.fail("no such command")
    return explain(unreadable, (flag) => flagsOf(doc).has(flag))
  }
  assert.match(adviceIn("data", "info"), /with --skip-unreadable$/)
  assert.match(adviceIn("train"), /with --set data\.skipUnreadable=true$/)
  assert.match(adviceIn("ensemble", "train"), /with data\.skipUnreadable in the file$/)
})
