/** The report of a finished run: one HTML file that needs nothing else. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { writeFileAtomic } from "./Storage.ts"
import { readMetrics } from "./Train/Metrics.ts"
import type { RunResult } from "./Train/Result.ts"
import { readRun } from "./Train/Run.ts"

/** Writes `report.html` into a run's folder and gives its path. `logits` [images,classes] are the test split's. */
export const writeReport = Effect.fn("writeReport")(function* (
  directory: string,
  result: RunResult,
  logits: Float32Array
) {
  const file = path.join(directory, "report.html")
  const { experiment } = yield* readRun(directory)
  const metrics = yield* readMetrics(directory)
  yield* writeFileAtomic(
    file,
    `<!doctype html><title>${experiment.name}</title><pre>${JSON.stringify({ result, metrics, logits: logits.length })}</pre>`
  )
  return file
})
