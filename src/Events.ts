/**
 * Events: what happens in a program of this library, as one typed stream. The terminal shows it, a program of one's own
 * takes it as an Effect `Stream`, and without either it costs nothing. (`metrics.jsonl` has the epochs too, but is written
 * by the run's folder itself: it must lose no line.)
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Experiment } from "./Config/Experiment.ts"
import type { EpochMetrics } from "./Events/EpochMetrics.ts"

export { EpochMetrics } from "./Events/EpochMetrics.ts"

/** What is known after a step of training. */
export interface StepProgress {
  /** The epoch under way, from 0, and how many there will be. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done of this epoch. */
  readonly step: number
  readonly stepsPerEpoch: number
  /** Of this step's batch. */
  readonly loss: number
  readonly accuracy: number
  readonly learningRate: number
  /** In a batch. */
  readonly images: number
  /** Of the step, and of those that are left, in steps on whole images. */
  readonly cost: number
  readonly costLeft: number
}

/** How much of something long is done, in its own unit. */
interface Part {
  readonly done: number
  readonly total: number
}

export type Event =
  /** A run begins, or goes on after so many epochs and steps. */
  | {
      readonly _tag: "Started"
      /** The run's folder. */
      readonly directory: string
      readonly experiment: Experiment
      readonly epoch: number
      readonly step: number
    }
  /** A network's program is traced and compiled for the device. */
  | { readonly _tag: "Compiling"; readonly text: string }
  | { readonly _tag: "Compiled"; readonly seconds: number }
  | ({ readonly _tag: "Step" } & StepProgress)
  /** An epoch is done, evaluation included. */
  | { readonly _tag: "Epoch"; readonly metrics: EpochMetrics }
  | { readonly _tag: "CheckpointSaved"; readonly step: number; readonly kind: "step" | "best" | "snapshot" }
  /** A member of an ensemble has gone through a split's images in one more view. */
  | ({ readonly _tag: "View"; readonly images: number; readonly split: string } & Part)
  /** Bytes of a file that is downloaded. */
  | ({ readonly _tag: "Download"; readonly file: string } & Part)
  /** Images of a folder that are decoded. */
  | ({ readonly _tag: "Decoded" } & Part)
  /** Bytes of libtensorflow's wheels; `doing` says what is done with them. */
  | ({ readonly _tag: "Setup"; readonly doing: string } & Part)
  /** What a person wants to know: what was chosen, and what is to be expected. */
  | { readonly _tag: "Message"; readonly text: string }
  /** What a person should know: what was passed over, or differs. */
  | { readonly _tag: "Warning"; readonly text: string }
  /** A run is finished: its folder, and the accuracy on the test split. */
  | { readonly _tag: "Finished"; readonly directory: string; readonly accuracy: number }
  /** So many events before this one were not taken in time by a program's stream, and are lost to it. */
  | { readonly _tag: "Missed"; readonly events: number }

/** Where events go: nowhere unless provided. `publish` is called from the training loop: what it does must be quick. */
export const Events: Context.Reference<{ readonly publish: (event: Event) => void }> = Context.Reference(
  "shakedrop/Events",
  { defaultValue: () => ({ publish: (_: Event): void => {} }) }
)

/** Consumers that have thrown: each is told of once. */
const broken = new WeakSet<typeof Events.Service>()

/**
 * Tells the events' consumer of what happens, in places without effects too. A consumer that throws, or whose promise
 * is rejected, ends nothing: Node warns of it once.
 */
export const publisher: Effect.Effect<(event: Event) => void> = Effect.map(Events, (events) => {
  const warn = (cause: unknown): void => {
    if (broken.has(events)) return
    broken.add(events)
    const why = cause instanceof Error ? cause.message : String(cause)
    process.emitWarning(`a consumer of events failed, and goes on being told: ${why}`, "ShakedropWarning")
  }
  return (event) => {
    try {
      // An asynchronous function is a consumer too, for TypeScript.
      const result: unknown = events.publish(event)
      if (result instanceof Promise) result.catch(warn)
    } catch (cause) {
      warn(cause)
    }
  }
})

/** Tells an event. */
export const publish = (event: Event): Effect.Effect<void> => Effect.map(publisher, (tell) => tell(event))

/** Tells people something. */
export const message = (text: string): Effect.Effect<void> => publish({ _tag: "Message", text })

/** Warns people of something. */
export const warning = (text: string): Effect.Effect<void> => publish({ _tag: "Warning", text })

/** Events that a stream keeps for a consumer that is slower than they come. */
const KEPT = 1024

/**
 * Runs an effect and gives its events as a stream, which ends or fails as the effect does. A consumer that is slow does
 * not slow the effect down: what it does not take in time is lost to it, and `Missed` says how much. An interrupted
 * stream interrupts the effect.
 */
export const stream = <A, E, R>(effect: Effect.Effect<A, E, R>): Stream.Stream<Event, E, R> =>
  Stream.callback<Event, E, R>(
    (queue) => {
      let missed = 0
      const offer = (event: Event): void => {
        if (missed > 0) {
          if (!Queue.offerUnsafe(queue, { _tag: "Missed", events: missed })) {
            missed++
            return
          }
          missed = 0
        }
        if (!Queue.offerUnsafe(queue, event)) missed++
      }
      return Effect.provideService(effect, Events, { publish: offer }).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.fail(queue, Cause.Done())
        })
      )
    },
    { bufferSize: KEPT, strategy: "dropping" }
  )
