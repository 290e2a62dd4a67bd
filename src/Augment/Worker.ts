/** A worker thread: makes batches, one after the other. Loads nothing but the numeric code. */
import { parentPort, workerData } from "node:worker_threads"
import { arraysOver, type BatchSource, type BatchTask, batchBytes, batchMaker } from "./MakeBatch.ts"
import type { Trace } from "./Trace.ts"

export interface WorkerData {
  readonly source: BatchSource
  readonly trace: Trace
}

export interface WorkerTask extends BatchTask {
  /** Comes back with the answer. */
  readonly ticket: number
}

export interface WorkerAnswer {
  readonly ticket: number
  /** The batch's arrays; handed over, not copied. */
  readonly memory: ArrayBuffer
}

const { source, trace }: WorkerData = workerData
const make = batchMaker(source, trace)

parentPort?.on("message", ({ ticket, ...task }: WorkerTask) => {
  const memory = new ArrayBuffer(batchBytes(source))
  make(task, arraysOver(memory, source))
  parentPort?.postMessage({ ticket, memory } satisfies WorkerAnswer, [memory])
})
