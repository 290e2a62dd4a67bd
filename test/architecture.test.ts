/** The rules of the architecture: that they bite, and that no folder is too full to be looked over. */
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

/** Files with one import each that a room must not have, and what is said about it. */
const WRONG = {
  "src/Config/Other.ts": ['export { train } from "../Train.ts"', "Config imports only Platform"],
  "src/Config.ts": ['export type { Network } from "./Model.ts"', "Config imports only Platform"],
  "src/Model/Layer/Other.ts": ['export type { Split } from "../../Data.ts"', "Model imports only"],
  "src/Model/Layer/Upwards.ts": [
    'export * from "../Architecture/SimpleCnn.ts"',
    "Model/Layer knows nothing of"
  ],
  "src/Ops/Other.ts": ['export const model = () => import("../Model.ts")', "Ops imports only"],
  "src/Predict.ts": ['import * as koffi from "koffi"; export const { load } = koffi', "know koffi"],
  "src/Data/A.ts": ['import type { B } from "./B.ts"; export type A = B', "no cycle of imports"]
} as const

/** What those files import. */
const OTHERS = ["Train", "Model", "Data", "Model/Architecture/SimpleCnn", "Ops"]

describe("the rules for rooms", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "shakedrop-architecture-"))
  copyFileSync(".dependency-cruiser.mjs", path.join(folder, ".dependency-cruiser.mjs"))
  const write = (file: string, code: string) => {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true })
    writeFileSync(path.join(folder, file), `${code}\n`)
  }
  write("tsconfig.json", "{}")
  write("package.json", '{ "type": "module", "dependencies": { "koffi": "1" } }')
  write("node_modules/koffi/package.json", '{ "type": "module", "main": "index.js" }')
  write("node_modules/koffi/index.js", "export const load = 1")
  for (const name of OTHERS) write(`src/${name}.ts`, "export const train = 1")
  for (const [file, [code]] of Object.entries(WRONG)) write(file, code)
  write("src/Data/B.ts", 'import type { A } from "./A.ts"; export type B = A')
  write("src/Model/Layer/Right.ts", 'export * from "../../Ops.ts"')
  const cruiser = path.resolve("node_modules/dependency-cruiser/bin/dependency-cruise.mjs")
  const { stderr, stdout } = spawnSync(process.execPath, [cruiser, "src", "--output-type", "err-long"], {
    cwd: folder,
    encoding: "utf8"
  })
  rmSync(folder, { recursive: true })
  const lines = (stdout + stderr).split("\n")

  for (const [file, [code, rule]] of Object.entries(WRONG)) {
    it(`refuse ${code} in ${file}`, () =>
      assert.isTrue(
        lines.some((line) => line.includes(rule) && line.includes(`${file} →`)),
        stdout + stderr
      ))
  }

  it("let a room know those below it", () =>
    assert.isFalse(
      lines.some((line) => line.includes("Right.ts →")),
      stdout
    ))
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
