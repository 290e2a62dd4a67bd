/**
 * A consumer of a training's events that writes or sends them somewhere. It takes them from a queue of bounded length in
 * a fiber of its own, so that a training is neither slowed down nor stopped by what it cannot reach: that is said once,
 * tried again, and at the end said how much was lost.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Event } from "../Events.ts"
import { scalarsOf, stepOf } from "./Scalars.ts"

/** Events could not be written or sent; `message` says why in one line. */
export class LogError extends Data.TaggedError("LogError")<{ readonly message: string }> {}

export interface Sink {
  /** What people call it. */
  readonly name: string
  /** Writes events, in their order. What fails is tried again with the same ones. */
  readonly write: (events: ReadonlyArray<Event>) => Effect.Effect<void, LogError>
  /** Done when the training is over, where it can be. */
  readonly close?: Effect.Effect<void, LogError>
}

export interface ConsumerOptions {
  readonly everySteps: number
  /** Tells people something that they should know. */
  readonly warn: (text: string) => void
}

/** Events that are kept while they cannot be written. Steps are left out first: they are many. */
const KEPT = 4096
const KEPT_STEPS = 2048

/** How long the end of a training waits for what is not written yet. */
const PATIENCE = "5 seconds"

/** Between two tries, doubled from one to the next. */
const AGAIN = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")])

/** What is worth telling: not the many small parts of something long. */
const isTold = (event: Event, everySteps: number): boolean => {
  if (event._tag === "Started" || event._tag === "Finished") return true
  if (event._tag === "Step") return (stepOf(event) ?? 0) % everySteps === 0
  return scalarsOf(event) !== undefined
}

/** Starts a consumer, which has done all it can when the scope ends; gives what takes its events. */
export const consumer = Effect.fnUntraced(function* (
  { close = Effect.void, name, write }: Sink,
  { everySteps, warn }: ConsumerOptions
): Effect.fn.Return<(event: Event) => void, never, Scope.Scope> {
  const queue = yield* Queue.bounded<Event>(KEPT)
  let waiting = 0
  let lost = 0
  let hasFailed = false
  const tellOnce = ({ message }: LogError) =>
    Effect.sync(() => {
      if (!hasFailed) warn(`${name}: ${message}; the training goes on, and this is tried again`)
      hasFailed = true
    })
  const writeNext = Effect.gen(function* () {
    const events = yield* Queue.takeAll(queue)
    yield* Effect.suspend(() => write(events)).pipe(
      Effect.tapError(tellOnce),
      Effect.retry(AGAIN),
      Effect.orDie
    )
    waiting -= events.length
  })
  yield* Effect.forkScoped(Effect.forever(writeNext))
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      // What is written with the next try is waited for, as long as it does not take too long.
      const done = Effect.sync(() => waiting === 0).pipe(
        Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("20 millis") })
      )
      yield* Effect.timeoutOption(done, PATIENCE)
      if (waiting === 0) yield* Effect.ignore(Effect.timeoutOption(close, PATIENCE))
      const missing = waiting + lost
      if (missing > 0)
        warn(`${name}: ${missing} ${missing === 1 ? "event" : "events"} of the training did not get there`)
    })
  )
  return (event) => {
    if (!isTold(event, everySteps)) return
    if ((event._tag === "Step" && waiting >= KEPT_STEPS) || !Queue.offerUnsafe(queue, event)) lost++
    else waiting++
  }
})
