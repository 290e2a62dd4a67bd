/** Worker threads that make batches. */
import { Worker } from "node:worker_threads"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { AugmentError } from "./Errors.ts"
import { arraysOver, type BatchArrays, type BatchSource, type BatchTask, batchBytes } from "./MakeBatch.ts"
import type { MakeTask } from "./Stream.ts"
import { describeTrace, makeTrace } from "./Trace.ts"
import type { WorkerData, WorkerTask } from "./Worker.ts"

export interface Pool {
  /** Makes a batch in the next free thread. */
  readonly make: MakeTask
}

/** Batches that each thread has memory for: while one is taken over, the next is made. */
export const SLOTS = 2

// Threads of Node 20 cannot load TypeScript: run from its source, the library uses the built one.
const script = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/Augment/Worker.js" : "./Worker.js",
  import.meta.url
)

interface Thread {
  readonly worker: Worker
  readonly memory: ReadonlyArray<SharedArrayBuffer>
  /** Who waits for the batch in each slot. */
  readonly waiting: Array<Deferred.Deferred<BatchArrays, AugmentError> | undefined>
}

interface Slot {
  readonly thread: Thread
  readonly number: number
}

/**
 * What lies in shared memory, as arrays in memory of their own, so that the slot can be used again. Measured faster
 * than memory that a thread makes anew and hands over: V8 then marks the whole heap of this thread every few batches.
 * All of it is written, so that it need not be zeroed first.
 */
const takeOver = (memory: SharedArrayBuffer, source: BatchSource): BatchArrays => {
  const own = Buffer.allocUnsafeSlow(memory.byteLength)
  own.set(new Uint8Array(memory))
  return arraysOver(own.buffer, source)
}

/**
 * Starts threads that end with the scope. One that dies, or that throws, fails what it was asked for and every later
 * batch; the error names the image and the operation. `file` is the thread's script.
 */
export const makePool = (
  source: BatchSource,
  threads: number,
  file: URL = script
): Effect.Effect<Pool, never, Scope.Scope> =>
  Effect.gen(function* () {
    const free = yield* Queue.unbounded<Slot>()
    const steps = source.pipeline.map(({ _tag }) => _tag)
    let failure: AugmentError | undefined
    let closing = false

    const answer = (thread: Thread, number: number, result: Exit.Exit<BatchArrays, AugmentError>): void => {
      const waiting = thread.waiting[number]
      if (waiting === undefined) return
      thread.waiting[number] = undefined
      Deferred.doneUnsafe(waiting, result)
      // The slots of a dead thread are given out still, so that who waits for one learns of it.
      Queue.offerUnsafe(free, { thread, number })
    }

    const start = (): Thread => {
      const trace = makeTrace()
      const memory = Array.from({ length: SLOTS }, () => new SharedArrayBuffer(batchBytes(source)))
      const workerData: WorkerData = { source, trace, slots: memory }
      const worker = new Worker(file, { workerData })
      const thread: Thread = { worker, memory, waiting: [] }
      const fail = (reason: string, cause?: unknown): void => {
        if (closing) return
        failure ??= new AugmentError({ message: `${describeTrace(trace, steps)}: ${reason}`, cause })
        for (let number = 0; number < SLOTS; number++) answer(thread, number, Exit.fail(failure))
      }
      worker.on("message", (number: number) =>
        answer(thread, number, Exit.succeed(takeOver(memory[number], source)))
      )
      worker.on("error", (cause) => fail(cause.message, cause))
      worker.on("exit", (code) => fail(`the augmentation thread ended with code ${code}`))
      return thread
    }

    const started = yield* Effect.acquireRelease(
      Effect.sync(() => Array.from({ length: threads }, start)),
      (started) =>
        Effect.promise(() => {
          closing = true
          return Promise.all(started.map(({ worker }) => worker.terminate()))
        })
    )
    for (let number = 0; number < SLOTS; number++) {
      for (const thread of started) Queue.offerUnsafe(free, { thread, number })
    }

    // A slot that is taken is asked for a batch in any case, and comes back with the answer.
    const ask = Effect.fnUntraced(function* ({ number, thread }: Slot, task: BatchTask) {
      if (failure !== undefined) {
        Queue.offerUnsafe(free, { thread, number })
        return yield* failure
      }
      const waiting = yield* Deferred.make<BatchArrays, AugmentError>()
      thread.waiting[number] = waiting
      thread.worker.postMessage({ ...task, slot: number } satisfies WorkerTask)
      return waiting
    })
    const make: MakeTask = (task) =>
      Effect.uninterruptibleMask((restore) =>
        restore(Queue.take(free)).pipe(
          Effect.flatMap((slot) => ask(slot, task)),
          Effect.flatMap((waiting) => restore(Deferred.await(waiting)))
        )
      )
    return { make }
  })
