<<<<<<< HEAD
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
=======
/** What the house promises beside the rules of .dependency-cruiser.mjs. */
import * as assert from "node:assert"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { describe, it } from "vitest"

const ROOT = path.resolve(import.meta.dirname, "..")

/** The most files that a folder of sources has, so that one look shows what is in it. */
const MOST_FILES = 14

const foldersBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [path.join(folder, entry.name), ...foldersBelow(path.join(folder, entry.name))] : []
  )

/** Markdown files of the project. */
const pages = [
  "README.md",
  ...readdirSync(path.join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join("docs", file))
]

/** What GitHub calls a heading in a link. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-")

const anchorsOf = (page: string): ReadonlyArray<string> =>
  readFileSync(page, "utf8")
    .replace(/^```.*?^```/gms, "")
    .split("\n")
    .flatMap((line) => /^#+ (.*)$/.exec(line)?.slice(1) ?? [])
    .map((heading) => anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")))

/** Links of a page that lead nowhere: to a file that is not there, or to a heading that its page does not have. */
const brokenLinks = (page: string): ReadonlyArray<string> => {
  const text = readFileSync(path.join(ROOT, page), "utf8").replace(/^```.*?^```/gms, "")
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [file, anchor] = link.split("#")
    const target = file === "" ? path.join(ROOT, page) : path.resolve(ROOT, path.dirname(page), file)
    if (!existsSync(target)) return true
    return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).includes(anchor)
  })
}

/** Paths of sources, tests and documents that a page names in its text. */
const missingPaths = (page: string): ReadonlyArray<string> =>
  [
    ...readFileSync(path.join(ROOT, page), "utf8").matchAll(
      /\b(?:src|test|docs|bench|examples|scripts)\/[\w./-]*\w/g
    )
  ]
    .map(([file]) => file)
    .filter((file) => /\.(?:ts|mjs|md|py|json|svg|png)$/.test(file) && !existsSync(path.join(ROOT, file)))

describe("the house", () => {
  it("has no folder of more files than one look takes in", () => {
    const full = foldersBelow(path.join(ROOT, "src"))
      .map((folder) => ({
        folder: path.relative(ROOT, folder),
        files: readdirSync(folder).filter((name) => name.endsWith(".ts")).length
      }))
      .filter(({ files }) => files > MOST_FILES)
    assert.deepStrictEqual(full, [])
  })

  it.each(pages)("%s links to what is there", (page) => {
    assert.deepStrictEqual(brokenLinks(page), [])
    assert.deepStrictEqual(missingPaths(page), [])
  })
>>>>>>> 9937010 (Who may import whom is checked in npm test with dependency-cruiser (.dependency-cruiser.mjs), and links of the docs by a test; links mended)
})
