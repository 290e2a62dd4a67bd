/** What `package.json` exports: that each path can be imported, and that the whole has them all as namespaces. */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>
}
const { ".": _, "./package.json": __, ...rooms } = exports

/** Prints the names of what each module exports, and of each namespace of the whole. */
const PROGRAM = `
import * as whole from "shakedrop"
const names = Object.entries(whole).filter(([, value]) => Object.prototype.toString.call(value) === "[object Module]")
const namespaces = Object.fromEntries(names.map(([name, value]) => [name, Object.keys(value)]))
const modules = {}
for (const name of ${JSON.stringify(Object.keys(rooms))})
  modules[name.slice(2)] = Object.keys(await import("shakedrop/" + name.slice(2)))
console.log(JSON.stringify({ modules, namespaces }))
`

it("every exported path can be imported, has its types, and is a namespace of the whole", () => {
  for (const { types, default: file } of Object.values(rooms)) {
    assert.isTrue(existsSync(types) && existsSync(file), file)
  }
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
    encoding: "utf8"
  })
  const { modules, namespaces } = JSON.parse(output) as {
    readonly [key in "modules" | "namespaces"]: Readonly<Record<string, ReadonlyArray<string>>>
  }
  for (const [name, exported] of Object.entries(modules)) {
    // That of `Registry` stands in the whole by its own name.
    if (name !== "Registry") assert.deepStrictEqual(namespaces[name], exported, name)
    assert.isAbove(exported.length, 0, name)
  }
  assert.includeMembers(Object.keys(modules), [...Object.keys(namespaces), "Registry"])
})
