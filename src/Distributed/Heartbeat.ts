/** A replica's heartbeat, seen from its main thread. */
import { Worker } from "node:worker_threads"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { HeartbeatData, Notice, Order } from "./Heartbeat/Thread.ts"
import type { Ending, Verdict } from "./Heartbeat/Verdict.ts"

export interface Heartbeat {
  /** Says how many steps are done. */
  readonly at: (step: number) => void
  /** Why the training cannot go on, once that is so. */
  readonly verdict: Effect.Effect<Verdict>
  /** Says that others are no longer needed. */
  readonly closing: Effect.Effect<void>
  /** Tells the others how this replica ends; when it returns they know, and those that are done have waited for the first. */
  readonly end: (ending: Ending, why: string) => Effect.Effect<void>
}

// Threads of Node 20 cannot load TypeScript: run from its source, the library uses the built one.
const script = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/Distributed/Heartbeat/Thread.js" : "./Heartbeat/Thread.js",
  import.meta.url
)

/** Starts a replica's heartbeat, which ends with the scope. `onVerdict` is called when the training cannot go on. */
export const startHeartbeat = (
  options: Omit<HeartbeatData, "step">,
  onVerdict: (verdict: Verdict) => void
): Effect.Effect<Heartbeat, never, Scope.Scope> =>
  Effect.gen(function* () {
    const step = new Int32Array(new SharedArrayBuffer(4))
    const verdict = yield* Deferred.make<Verdict>()
    const left = yield* Deferred.make<void>()
    const workerData: HeartbeatData = { ...options, step }
    const thread = yield* Effect.acquireRelease(
      Effect.sync(() => new Worker(script, { workerData })),
      (thread) => Effect.promise(() => thread.terminate())
    )
    let isClosing = false
    thread.on("message", (notice: Notice) => {
      if (notice._tag === "Left") Deferred.doneUnsafe(left, Effect.void)
      else if (!isClosing && Deferred.doneUnsafe(verdict, Effect.succeed(notice.verdict)))
        onVerdict(notice.verdict)
    })
    const order = (order: Order): void => thread.postMessage(order)
    return {
      at: (done) => {
        step[0] = done
      },
      verdict: Deferred.await(verdict),
      closing: Effect.sync(() => {
        isClosing = true
        order({ _tag: "Closing" })
      }),
      end: (ending, why) =>
        Effect.gen(function* () {
          isClosing = true
          order({ _tag: "End", ending, why })
          yield* Deferred.await(left)
        })
    }
  })
