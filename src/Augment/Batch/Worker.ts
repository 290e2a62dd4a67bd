/** A worker thread: makes batches into shared memory, one after the other. Loads nothing but the numeric code. */
import { parentPort, workerData } from "node:worker_threads"
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
const make = batchMaker(source, trace)

parentPort?.on("message", ({ memory, slot, ...task }: WorkerTask) => {
  make(task, arraysOver(memory, source))
  parentPort?.postMessage(slot)
})
