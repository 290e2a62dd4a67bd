/**
 * Threads only where they help: batches are made in the calling thread at first, which costs nothing where the device
 * is the slower of the two. Where it is the device that waits, threads are tried, and given up if batches do not come
 * quicker. What is measured decides where batches are made, never what is in them.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RcRef from "effect/RcRef"
import * as Scope from "effect/Scope"
import { message } from "../../Events.ts"
import type { AugmentError } from "../Errors.ts"
import type { Maker, Way, Ways } from "./Ways.ts"

/** Batches that are measured before each decision. */
export const MEASURED = 24

/** The share of its time that a maker is held back at most, batches enough being ready, where the device waits for it. */
const HELD_BACK = 0.1

/** The share of the time between batches that is left at most, where threads help. */
const QUICKER = 0.95

/** Milliseconds for a batch below which a thread has no share worth taking over. */
const LEAST = 1

export interface AdaptiveOptions {
  readonly inline: Maker
  readonly threads: number
  /** Batches that threads are asked for at a time. */
  readonly concurrency: number
  /** Starts threads that end with the scope. Where they cannot start, there are none. */
  readonly startThreads: Effect.Effect<Maker, AugmentError, Scope.Scope>
  /** Milliseconds. */
  readonly now?: () => number
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Milliseconds for a batch, a pause now and then left aside. Threads bring several at once: so many are taken together. */
const pace = (between: ReadonlyArray<number>, together: number): number =>
  median(
    between
      .slice(together - 1)
      .map((_, i) => between.slice(i, i + together).reduce((sum, value) => sum + value, 0) / together)
  )

/** Ways of making batches, of which the quicker is found under way. Threads, once started, end with the scope at last. */
export const adaptive = Effect.fnUntraced(function* ({
  concurrency,
  inline,
  now = () => performance.now(),
  startThreads,
  threads
}: AdaptiveOptions): Effect.fn.Return<Ways & Pick<Maker, "recycle">, never, Scope.Scope> {
  const scope = yield* Effect.scope
  // Shared by the streams that are open: threads that are given up end when the last of them has left them.
  const pool = yield* RcRef.make({ acquire: startThreads })
  let stage: "measuring" | "trying" | "settled" = "measuring"
  /** Milliseconds that making each batch took, from there to the start of the next one, and between batches taken. */
  const making: Array<number> = []
  const held: Array<number> = []
  let between: Array<number> = []
  let madeAt: number | undefined
  let takenAt: number | undefined
  let inlineTook = 0
  let pooled: Maker | undefined
  let leave: Effect.Effect<void> = Effect.void

  const measured: Maker["make"] = (task) =>
    Effect.suspend(() => {
      if (stage !== "measuring") return inline.make(task)
      const start = now()
      if (madeAt !== undefined) held.push(start - madeAt)
      return Effect.tap(inline.make(task), () =>
        Effect.sync(() => {
          madeAt = now()
          making.push(madeAt - start)
        })
      )
    })
  const here: Way = { concurrency: 0, maker: Effect.succeed({ make: measured }) }
  const inThreads: Way = { concurrency, maker: RcRef.get(pool) }
  let way = here

  const tryThreads = Effect.gen(function* () {
    stage = "settled"
    const [busy, idle] = [median(making), median(held)]
    if (busy < LEAST || idle > HELD_BACK * (busy + idle)) return
    const stay = yield* Scope.fork(scope)
    leave = Scope.close(stay, Exit.void)
    pooled = yield* Scope.provide(RcRef.get(pool), stay)
    inlineTook = pace(between, concurrency)
    between = []
    stage = "trying"
    way = inThreads
    yield* message(`augmentation goes on in ${threads} threads: the device waited for batches`)
  }).pipe(Effect.catch(() => leave))

  const compare = Effect.suspend(() => {
    stage = "settled"
    // The first ones were made while threads started, and then all at once.
    if (pace(between.slice(concurrency), concurrency) <= QUICKER * inlineTook) return Effect.void
    way = here
    return Effect.andThen(
      leave,
      message(`augmentation goes on without threads: with ${threads}, batches came no quicker`)
    )
  })

  const taken = Effect.suspend(() => {
    if (stage === "settled") return Effect.void
    const time = now()
    if (takenAt !== undefined) between.push(time - takenAt)
    takenAt = time
    if (stage === "measuring") return between.length < MEASURED ? Effect.void : tryThreads
    return between.length < concurrency + MEASURED ? Effect.void : compare
  })

  return {
    current: () => way,
    taken: Effect.uninterruptible(taken),
    recycle: (batch) => {
      inline.recycle(batch)
      pooled?.recycle(batch)
    }
  }
})
