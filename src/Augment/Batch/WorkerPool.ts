/** Worker threads that make batches. */
import { Worker } from "node:worker_threads"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { AugmentError } from "../Errors.ts"
import { batchMemory } from "./BatchMemory.ts"
import { describeTrace, makeTrace } from "./Breadcrumbs.ts"
import type { BatchArrays, BatchSource, BatchTask } from "./MakeBatch.ts"
import type { Maker } from "./Ways.ts"
import type { WorkerData, WorkerTask } from "./Worker.ts"
import { workerScript } from "./WorkerScript.ts"

/** Batches that each thread is asked for at a time: while one is taken over, the next is made. */
export const SLOTS = 2

interface Thread {
  readonly worker: Worker
  /** Who waits for the batch of each slot. */
  readonly waiting: Array<Deferred.Deferred<void, AugmentError> | undefined>
}

interface Slot {
  readonly thread: Thread
  readonly number: number
}

/**
 * Starts threads that end with the scope. One that dies, or that throws, fails what it was asked for and every later
 * batch; the error names the image and the operation. Each batch is made by the next free thread, in shared memory, so
 * that it need not be copied. `file` is the thread's script; this library's unless given.
 */
export const makePool = (
  source: BatchSource,
  threads: number,
  file?: URL
): Effect.Effect<Maker, AugmentError, Scope.Scope> =>
  Effect.gen(function* () {
    const script = file ?? (yield* workerScript)
    const free = yield* Queue.unbounded<Slot>()
    const { recycle, take } = batchMemory(source, (bytes) => new SharedArrayBuffer(bytes))
    const steps = source.pipeline.map(({ _tag }) => _tag)
    let failure: AugmentError | undefined
    let closing = false

    const answer = (thread: Thread, number: number, result: Exit.Exit<void, AugmentError>): void => {
      const waiting = thread.waiting[number]
      if (waiting === undefined) return
      thread.waiting[number] = undefined
      Deferred.doneUnsafe(waiting, result)
      // The slots of a dead thread are given out still, so that who waits for one learns of it.
      Queue.offerUnsafe(free, { thread, number })
    }

    const start = (): Thread => {
      const trace = makeTrace()
      const workerData: WorkerData = { source, trace }
      const worker = new Worker(script, { workerData })
      const thread: Thread = { worker, waiting: [] }
      const fail = (reason: "Step" | "ThreadEnded", why: string, cause?: unknown): void => {
        if (closing) return
        failure ??= new AugmentError({ reason, message: `${describeTrace(trace, steps)}: ${why}`, cause })
        for (let number = 0; number < SLOTS; number++) answer(thread, number, Exit.fail(failure))
      }
      worker.on("message", (number: number) => answer(thread, number, Exit.void))
      worker.on("error", (cause) => fail("Step", cause.message, cause))
      worker.on("exit", (code) => fail("ThreadEnded", `the augmentation thread ended with code ${code}`))
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
      const waiting = yield* Deferred.make<void, AugmentError>()
      thread.waiting[number] = waiting
      const arrays = take()
      const message: WorkerTask = { ...task, memory: arrays.images.buffer, slot: number }
      thread.worker.postMessage(message)
      return { arrays, waiting }
    })
    const make = (task: BatchTask): Effect.Effect<BatchArrays, AugmentError> =>
      Effect.uninterruptibleMask((restore) =>
        restore(Queue.take(free)).pipe(
          Effect.flatMap((slot) => ask(slot, task)),
          Effect.flatMap(({ arrays, waiting }) => Effect.as(restore(Deferred.await(waiting)), arrays))
        )
      )
    return { make, recycle }
  })
