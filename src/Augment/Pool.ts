/** Worker threads that make batches. */
import { Worker } from "node:worker_threads"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { AugmentError } from "./Errors.ts"
import { arraysOver, type BatchArrays, type BatchSource, type BatchTask } from "./MakeBatch.ts"
import type { MakeTask } from "./Stream.ts"
import { describeTrace, makeTrace } from "./Trace.ts"
import type { WorkerAnswer, WorkerData, WorkerTask } from "./Worker.ts"

export interface Pool {
  /** Makes a batch in the next free thread. */
  readonly make: MakeTask
}

/** Batches that each thread is asked for at a time: it finds the next one when it has handed one over. */
export const TICKETS = 2

// Threads of Node 20 cannot load TypeScript: run from its source, the library uses the built one.
const script = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/Augment/Worker.js" : "./Worker.js",
  import.meta.url
)

interface Thread {
  readonly worker: Worker
  /** Who waits for the batch of each ticket. */
  readonly waiting: Array<Deferred.Deferred<BatchArrays, AugmentError> | undefined>
}

/** The right to ask a thread for one batch at a time. */
interface Ticket {
  readonly thread: Thread
  readonly number: number
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
    const free = yield* Queue.unbounded<Ticket>()
    const steps = source.pipeline.map(({ _tag }) => _tag)
    let failure: AugmentError | undefined
    let closing = false

    const answer = (thread: Thread, number: number, result: Exit.Exit<BatchArrays, AugmentError>): void => {
      const waiting = thread.waiting[number]
      if (waiting === undefined) return
      thread.waiting[number] = undefined
      Deferred.doneUnsafe(waiting, result)
      // The tickets of a dead thread are given out still, so that who waits for one learns of it.
      Queue.offerUnsafe(free, { thread, number })
    }

    const start = (): Thread => {
      const trace = makeTrace()
      const worker = new Worker(file, { workerData: { source, trace } satisfies WorkerData })
      const thread: Thread = { worker, waiting: [] }
      const fail = (reason: string, cause?: unknown): void => {
        if (closing) return
        failure ??= new AugmentError({ message: `${describeTrace(trace, steps)}: ${reason}`, cause })
        for (let number = 0; number < TICKETS; number++) answer(thread, number, Exit.fail(failure))
      }
      worker.on("message", ({ memory, ticket }: WorkerAnswer) =>
        answer(thread, ticket, Exit.succeed(arraysOver(memory, source)))
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
    for (let number = 0; number < TICKETS; number++) {
      for (const thread of started) Queue.offerUnsafe(free, { thread, number })
    }

    // A ticket that is taken is used in any case, and comes back with the answer.
    const ask = Effect.fnUntraced(function* ({ number, thread }: Ticket, task: BatchTask) {
      if (failure !== undefined) {
        Queue.offerUnsafe(free, { thread, number })
        return yield* failure
      }
      const waiting = yield* Deferred.make<BatchArrays, AugmentError>()
      thread.waiting[number] = waiting
      thread.worker.postMessage({ ...task, ticket: number } satisfies WorkerTask)
      return waiting
    })
    const make: MakeTask = (task) =>
      Effect.uninterruptibleMask((restore) =>
        restore(Queue.take(free)).pipe(
          Effect.flatMap((ticket) => ask(ticket, task)),
          Effect.flatMap((waiting) => restore(Deferred.await(waiting)))
        )
      )
    return { make }
  })
