/** The program with a network and a loss of its own, with the package as its users import it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, it, vi } from "@effect/vitest"

const root = mkdtempSync(path.join(tmpdir(), "shakedrop-example-"))
const before = process.cwd()
beforeAll(() => process.chdir(root))
afterAll(() => {
  process.chdir(before)
  rmSync(root, { recursive: true })
})

it("examples/own-network.ts, of less than 60 lines, trains its network with its loss", async () => {
  const lines: Array<string> = []
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line))
  await import("../examples/own-network.ts")
  log.mockRestore()
  const [, accuracy] = /^([\d.]+) % of 2000 test images$/.exec(lines[0]) ?? []
  assert.isAbove(Number(accuracy), 50)
  assert.isTrue(existsSync("runs/plain/result.json"))
  const file = path.join(before, "examples/own-network.ts")
  assert.isBelow(readFileSync(file, "utf8").trim().split("\n").length, 60)
}, 120_000)
