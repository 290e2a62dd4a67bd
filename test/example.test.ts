/** Programs of users of the library, with the package as they import it. */
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

it("examples/listen.mjs hears of its epoch", async () => {
  const lines: Array<string> = []
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line))
  // @ts-expect-error: JavaScript, which has no types.
  await import("../examples/listen.mjs")
  log.mockRestore()
  assert.match(lines.join(), /^epoch 1: loss [\d.]+$/)
})

it("examples/ensemble.ts trains three members, tells their epochs and measures them together", async () => {
  const lines: Array<string> = []
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line))
  await import("../examples/ensemble.ts")
  log.mockRestore()
  const told = lines.filter((line) => /^epoch [1-4]: loss \d\.\d{3}, validation [\d.]+ %$/.test(line))
  assert.strictEqual(told.length, 12)
  const members = lines.slice(12, -1).map((line) => /^(\S+) \(raw\): [\d.]+ %, weight ([\d.]+)$/.exec(line))
  assert.deepStrictEqual(
    members.map((match) => match?.[1]),
    ["cnn-1", "cnn-2", "wrn"]
  )
  assert.closeTo(
    members.reduce((sum, match) => sum + Number(match?.[2]), 0),
    1,
    0.02
  )
  const whole = /^together: ([\d.]+) % of 150 test images$/.exec(lines.at(-1) ?? "")
  // A third of them would be chance.
  assert.isAbove(Number(whole?.[1]), 60)
  assert.isTrue(existsSync(path.join(root, "runs", "patterns", "wrn", "result.json")))
})
