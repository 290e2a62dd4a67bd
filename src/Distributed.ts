/**
 * Several replicas of one training, a process each: how they find each other, agree that they are of one training, hear
 * each other, and end together. What they compute together is TensorFlow's affair (`Device/Cluster`, `Ops/Collective`).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { freePort, ownAddress } from "./Distributed/Address.ts"
import { checkSame, decodeMet, Joining, Ready } from "./Distributed/Agreement.ts"
import type { Place } from "./Distributed/Discover.ts"
import { ReplicaError } from "./Distributed/Errors.ts"
import { type Heartbeat, startHeartbeat } from "./Distributed/Heartbeat.ts"
import { openRendezvous } from "./Distributed/Rendezvous.ts"
import type { ReplicasShape } from "./Distributed/Replicas.ts"
import { describeVerdict } from "./Distributed/Verdict.ts"

export { type Asked, discover, type Place } from "./Distributed/Discover.ts"
export { ReplicaError } from "./Distributed/Errors.ts"
export { LAUNCHED, launch } from "./Distributed/Launch.ts"
export { isFirst, Replicas, type ReplicasShape } from "./Distributed/Replicas.ts"
export { isOwn, placesOf, type Share } from "./Distributed/Share.ts"

export interface JoinOptions {
  /** Seconds until all must have come. */
  readonly timeout: number
  /** Seconds without a word after which a replica is lost. */
  readonly silence: number
  /** What everybody has to know, where there is such a thing. */
  readonly secret: string | undefined
}

/** What the first replica has planned. */
export type Planned = NonNullable<Joining["plan"]>

/** A replica among those that have come. */
export interface Joined {
  readonly plan: Planned
  /**
   * Says what was found on this machine, and starts the heartbeat once all have. Gives where TensorFlow's servers are to
   * listen.
   */
  readonly ready: (found: Ready) => Effect.Effect<ReadonlyArray<string>, ReplicaError>
  /** For the training. */
  readonly replicas: ReplicasShape
  /**
   * Runs the training to its end, and tells the others how it ends. An error that comes of a partner's end is told as
   * that.
   */
  readonly attend: <A, E, R>(training: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ReplicaError, R>
}

/** Milliseconds in which it is known why TensorFlow lost a partner. */
const KNOWN_AFTER = 3000

/** Errors that TensorFlow gives where a partner is gone. */
const isOfPartners = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ExecutionError"

/**
 * Joins the other replicas: `asked` is what this one was asked to train, `plan` what the first one makes of it. What it
 * starts ends with the scope.
 *
 * @errors ReplicaError where somebody is missing, or differs
 */
export const join = Effect.fn("join")(function* (
  place: Place,
  { secret, silence, timeout }: JoinOptions,
  { asked, plan, version }: { readonly asked: unknown; readonly plan?: Planned; readonly version: string }
): Effect.fn.Return<Joined, ReplicaError, Scope.Scope> {
  const { coordinator, count, index } = place
  const scope = yield* Effect.scope
  const meeting = yield* Scope.fork(scope)
  const address = index === 0 ? yield* ownAddress(coordinator.host) : coordinator.host
  const { meet } = yield* Scope.provide(openRendezvous({ ...place, address, timeout, secret }), meeting)
  const port = yield* freePort
  const joining: Joining = { shakedrop: version, asked, port, ...(plan && { plan }) }
  const met = yield* meet("join", joining)
  const told = yield* decodeMet(Joining, met)
  yield* checkSame(met, told, ({ asked, shakedrop }) => ({ shakedrop, asked }))
  const addresses = met.map(({ address }, i) => `${address}:${told[i].port}`)
  const lost: Array<Effect.Effect<void>> = []
  let isLost = false
  let step = 0
  let heartbeat: Heartbeat | undefined

  const ready = Effect.fnUntraced(function* (found: Ready) {
    const met = yield* meet("ready", found)
    const told = yield* decodeMet(Ready, met)
    yield* checkSame(met, told, ({ data, ...rest }) => ({ ...rest, data }))
    yield* Scope.close(meeting, Exit.void)
    const options = { index, addresses, host: address, port: coordinator.port, secret, silence }
    heartbeat = yield* Scope.provide(
      startHeartbeat(options, () => {
        isLost = true
        for (const abort of lost) Effect.runFork(abort)
      }),
      scope
    )
    return addresses
  })

  const replicas: ReplicasShape = {
    share: { index, count },
    continues: told[0].plan?.begun ?? false,
    at: (done) => {
      step = done
      heartbeat?.at(done)
    },
    closing: Effect.suspend(() => heartbeat?.closing ?? Effect.void),
    onLost: (abort) =>
      Effect.suspend(() => {
        lost.push(abort)
        return isLost ? abort : Effect.void
      }),
    isLost: Effect.sync(() => isLost)
  }

  /** What an error means: that of a partner, where there is one. */
  const meaningOf = Effect.fnUntraced(function* <E>(error: E, { verdict }: Heartbeat) {
    if (!isOfPartners(error)) return error
    const known = yield* Effect.timeoutOption(verdict, KNOWN_AFTER)
    if (known._tag === "None") return error
    const because = known.value
    if (because._tag === "Ended" && because.ending === "interrupted") return yield* Effect.interrupt
    return new ReplicaError({
      reason: because._tag === "Ended" ? "Ended" : "Lost",
      message: describeVerdict(because, { addresses, silence, step })
    })
  })

  const attend = <A, E, R>(training: Effect.Effect<A, E, R>) =>
    training.pipe(
      Effect.catch((error) =>
        heartbeat === undefined
          ? Effect.fail<E | ReplicaError>(error)
          : Effect.flatMap(meaningOf(error, heartbeat), (meaning) => Effect.fail<E | ReplicaError>(meaning))
      ),
      Effect.onExit((exit) => {
        if (heartbeat === undefined) return Effect.void
        if (Exit.isSuccess(exit)) return heartbeat.end("finished", "")
        if (Exit.hasInterrupts(exit)) return heartbeat.end("interrupted", "")
        return heartbeat.end("failed", messageOf(exit))
      })
    )
  return { plan: told[0].plan!, ready, replicas, attend }
})

const messageOf = (exit: Exit.Exit<unknown, unknown>): string => {
  const error = Exit.findErrorOption(exit)
  if (error._tag === "None") return "it has an internal error"
  const { value } = error
  return value instanceof Error ? value.message : String(value)
}
