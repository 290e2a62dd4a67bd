/** The package as its users import it, by its own name. */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const modules = Object.entries(exports).flatMap(([name, targets]) =>
  typeof targets === "string" ? [] : [{ name: name.replace(/^\./, "shakedrop"), types: targets.types }]
)

describe("the package", () => {
  it("can be imported by the names of its modules, with their types", () => {
    const script = `
      const names = ${JSON.stringify(modules.map(({ name }) => name))}
      const counts = await Promise.all(names.map(async (name) => Object.keys(await import(name)).length))
      console.log(JSON.stringify(counts))`
    const counts: ReadonlyArray<number> = JSON.parse(
      execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })
    )
    for (const [i, { name, types }] of modules.entries()) {
      assert.isAbove(counts[i], 0, name)
      assert.isTrue(existsSync(types), types)
    }
  })

  it("does not start the device, nor set anything up, when it is imported", () => {
    const script = `await import("shakedrop"); console.log(process.report.getReport().sharedObjects.join())`
    const loaded = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })
    assert.match(loaded, /libc\.so/)
    assert.notMatch(loaded, /libtensorflow/)
  })
})
