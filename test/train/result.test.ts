import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { wilsonInterval } from "../../src/Train/Run/Interval.ts"
import { type RunResult, readResult, writeResult } from "../../src/Train/Run/Result.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-result-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const result: RunResult = {
  dataset: "shapes",
  split: "test",
  epochs: 2,
  weights: "ema",
  selection: "best validation accuracy",
  images: 4,
  accuracy: 0.75,
  interval: wilsonInterval(3, 4),
  loss: 0.5,
  top5: 1,
  confusion: [
    [2, 0],
    [1, 1]
  ],
  parameters: 10,
  multiplyAdds: 20,
  trainSeconds: 1.5,
  seed: 1,
  command: "shakedrop train"
}

describe("wilsonInterval", () => {
  it("gives the published values", () => {
    const cases = [
      [8, 10, 0.4901625, 0.9433178],
      [0, 10, 0, 0.2775328],
      [10, 10, 0.7224672, 1]
    ]
    for (const [correct, n, low, high] of cases) {
      const interval = wilsonInterval(correct, n)
      assert.closeTo(interval[0], low, 1e-6)
      assert.closeTo(interval[1], high, 1e-6)
    }
  })

  it("ends where the observed share is 1.96 standard errors away", () => {
    for (const [correct, n] of [
      [9_731, 10_000],
      [50, 100],
      [1, 3]
    ]) {
      for (const end of wilsonInterval(correct, n)) {
        const standardError = Math.sqrt((end * (1 - end)) / n)
        assert.closeTo(Math.abs(correct / n - end) / standardError, 1.959964, 1e-9)
      }
    }
  })
})

describe("result.json", () => {
  it.effect("is read as it was written, and nothing else is left", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const file = path.join(directory, "result.json")
      yield* writeResult(file, { ...result, accuracy: 0 })
      yield* writeResult(file, result)
      assert.deepStrictEqual(yield* readResult(file), result)
      assert.deepStrictEqual(readdirSync(directory), ["result.json"])
    })
  )

  it.effect("that is wrong is refused with file and key", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const file = path.join(directory, "result.json")
      writeFileSync(file, JSON.stringify({ ...result, accuracy: "high" }))
      const error = yield* Effect.flip(readResult(file))
      assert.match(error.message, /result\.json: accuracy: expected .*, got "high"/)
    })
  )
})
