/**
 * A worker thread: makes batches into shared memory, one after the other. It loads the steps and what they import, and
 * modules with steps of a program's own, but neither the device nor a network of this library.
 */
import { parentPort, workerData } from "node:worker_threads"
import type { Step } from "../Step/Step.ts"
import { steps } from "../Steps.ts"
import type { Trace } from "./Breadcrumbs.ts"
import { arraysOver, type BatchSource, type BatchTask, batchMaker } from "./MakeBatch.ts"

export interface WorkerData {
  readonly source: BatchSource
  readonly trace: Trace
}

export interface WorkerTask extends BatchTask {
  /** Shared memory that the batch goes into. */
  readonly memory: ArrayBufferLike
  /** The answer. */
  readonly slot: number
}

const { source, trace }: WorkerData = workerData
const plugins: ReadonlyArray<{ readonly default: { readonly steps?: ReadonlyArray<Step> } }> =
  await Promise.all((source.modules ?? []).map((url) => import(url)))
const own = plugins.flatMap((plugin) => plugin.default.steps ?? [])
const make = batchMaker(source, trace, [...steps, ...own])

parentPort?.on("message", ({ memory, slot, ...task }: WorkerTask) => {
  make(task, arraysOver(memory, source))
  parentPort?.postMessage(slot)
})
