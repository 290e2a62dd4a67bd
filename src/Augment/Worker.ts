/** A worker thread: makes batches into shared memory, one after the other. Loads nothing but the numeric code. */
import { parentPort, workerData } from "node:worker_threads"
import { arraysOver, type BatchSource, type BatchTask, batchMaker } from "./MakeBatch.ts"
import type { Trace } from "./Trace.ts"

export interface WorkerData {
  readonly source: BatchSource
  readonly trace: Trace
  /** Memory for batches, `batchBytes` each. */
  readonly slots: ReadonlyArray<SharedArrayBuffer>
}

export interface WorkerTask extends BatchTask {
  /** Which of the slots the batch goes into; the same number is the answer. */
  readonly slot: number
}

const { slots, source, trace }: WorkerData = workerData
const outputs = slots.map((slot) => arraysOver(slot, source))
const make = batchMaker(source, trace)

parentPort?.on("message", (task: WorkerTask) => {
  make(task, outputs[task.slot])
  parentPort?.postMessage(task.slot)
})
