/** The rules of the architecture: that they bite, and that no folder is too full to be looked over. */
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

/** Files with one line of code each that a room must not have. */
const WRONG = {
  "src/Config/Other.ts": 'export { train } from "../Train.ts"',
  "src/Config.ts": 'export type { Network } from "./Model/Network.ts"',
  "src/Model/Layer/Other.ts": 'export type { Split } from "../../Data/Types.ts"',
  "src/Device/Graph/Other.ts": 'export * from "../../Ops/Loss.ts"',
  "src/Ensemble/Other.ts": 'export const report = () => import("../Report.ts")'
}

const RIGHT = { "src/Model/Layer/Right.ts": 'export { conv2d } from "../../Ops/Convolution.ts"' }

describe("the linter's rules for rooms", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "shakedrop-architecture-"))
  const rules = path.resolve("architecture.jsonc")
  copyFileSync(rules, path.join(folder, "architecture.jsonc"))
  writeFileSync(path.join(folder, "biome.json"), JSON.stringify({ extends: ["./architecture.jsonc"] }))
  for (const [file, code] of Object.entries({ ...WRONG, ...RIGHT })) {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true })
    writeFileSync(path.join(folder, file), `${code}\n`)
  }
  const biome = path.resolve("node_modules/@biomejs/biome/bin/biome")
  const args = [biome, "lint", "--only=style/noRestrictedImports", "--max-diagnostics=none"]
  const { stderr, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" })
  rmSync(folder, { recursive: true })
  const said = stdout + stderr

  for (const [file, code] of Object.entries(WRONG)) {
    it(`refuse ${code} in ${file}`, () =>
      assert.match(said, new RegExp(`^${file}:.*noRestrictedImports`, "m")))
  }

  it("let a room know those below it", () => assert.notInclude(said, "Right.ts"))
})

/** Files in one folder, beyond which it is divided. The topmost holds the doors of the rooms. */
const FULL = 14

it("no folder of the source is too full", () => {
  const folders = readdirSync("src", { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isDirectory()
  )
  for (const { name, parentPath } of folders) {
    const folder = path.join(parentPath, name)
    const files = readdirSync(folder).filter((file) => file.endsWith(".ts"))
    assert.isAtMost(files.length, FULL, folder)
  }
})
