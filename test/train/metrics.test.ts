import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { EpochMetrics } from "../../src/Events.ts"
import { appendMetrics, readMetrics, truncateMetrics } from "../../src/Train/Run/Metrics.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-metrics-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const line = (epoch: number): EpochMetrics => ({
  epoch,
  step: 8 * epoch,
  lr: 0.1 / epoch,
  trainLoss: 1 / (3 * epoch),
  trainAccuracy: 0.5,
  valLoss: null,
  accuracy: { raw: null, ema: epoch % 2 === 0 ? 0.7 : null, swa: null },
  imagesPerSecond: 1234.5678,
  seconds: 3.25,
  waitShare: 0.001
})

const epochs = (...numbers: ReadonlyArray<number>) => numbers.map(line)
const fileOf = (directory: string) => path.join(directory, "metrics.jsonl")

/** A run's folder with the metrics of some epochs. */
const folderOf = Effect.fnUntraced(function* (lines: ReadonlyArray<EpochMetrics>) {
  const directory = yield* temporary
  for (const metrics of lines) yield* appendMetrics(fileOf(directory), metrics)
  return directory
})

describe("metrics", () => {
  it.effect("are read as they were added, a line an epoch", () =>
    Effect.gen(function* () {
      const directory = yield* folderOf(epochs(1, 2))
      assert.deepStrictEqual(yield* readMetrics(fileOf(directory)), epochs(1, 2))
      assert.strictEqual(readFileSync(fileOf(directory), "utf8").split("\n").length, 3)
    })
  )

  it.effect("of a run without an epoch are none", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      assert.deepStrictEqual(yield* readMetrics(fileOf(directory)), [])
      yield* truncateMetrics(fileOf(directory), 0)
      assert.isFalse(existsSync(fileOf(directory)))
    })
  )

  it.effect("of a run that was killed and continued are those of one that was not, to the byte", () =>
    Effect.gen(function* () {
      const whole = yield* folderOf(epochs(1, 2, 3))
      // The checkpoint is of the second epoch's middle; the third epoch's line was being written.
      const killed = yield* folderOf(epochs(1, 2))
      appendFileSync(fileOf(killed), JSON.stringify(line(3)).slice(0, 50))
      yield* truncateMetrics(fileOf(killed), 1)
      assert.deepStrictEqual(yield* readMetrics(fileOf(killed)), epochs(1))
      yield* appendMetrics(fileOf(killed), line(2))
      yield* appendMetrics(fileOf(killed), line(3))
      assert.isTrue(readFileSync(fileOf(killed)).equals(readFileSync(fileOf(whole))))
      assert.deepStrictEqual(readdirSync(killed), ["metrics.jsonl"])
    })
  )

  it.effect("lose a half-written last line alone where the checkpoint is newer", () =>
    Effect.gen(function* () {
      const directory = yield* folderOf(epochs(1, 2))
      const before = readFileSync(fileOf(directory))
      appendFileSync(fileOf(directory), '{"epoch":3,"st')
      assert.deepStrictEqual(yield* readMetrics(fileOf(directory)), epochs(1, 2))
      yield* truncateMetrics(fileOf(directory), 2)
      assert.isTrue(readFileSync(fileOf(directory)).equals(before))
    })
  )

  it.effect("that are damaged are refused with file, line and key", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      writeFileSync(fileOf(directory), `${JSON.stringify(line(1))}\n{"epoch":2\n`)
      assert.match(
        (yield* Effect.flip(readMetrics(fileOf(directory)))).message,
        /metrics\.jsonl, line 2: .*not JSON/
      )
      const { lr: _, ...rest } = line(1)
      writeFileSync(fileOf(directory), `${JSON.stringify(rest)}\n`)
      const error = yield* Effect.flip(truncateMetrics(fileOf(directory), 1))
      assert.match(error.message, /metrics\.jsonl, line 1: lr is missing/)
    })
  )
})
