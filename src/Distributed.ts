/**
 * Several replicas of one training, a process each: how they find each other, agree that they are of one training, hear
 * each other, and end together. What they compute together is TensorFlow's affair (`Device/Cluster`, `Ops/Collective`).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { freePort, ownAddress } from "./Distributed/Address.ts"
import { checkSame, decodeMet, Joining, Ready } from "./Distributed/Agreement.ts"
import type { Place } from "./Distributed/Discover.ts"
import { ReplicaError } from "./Distributed/Errors.ts"
import { describeVerdict } from "./Distributed/Heartbeat/Verdict.ts"
import { type Heartbeat, startHeartbeat } from "./Distributed/Heartbeat.ts"
import { openRendezvous } from "./Distributed/Rendezvous.ts"
import type { ReplicasShape } from "./Distributed/Replicas.ts"

export { type Asked, discover, type Place } from "./Distributed/Discover.ts"
export { ReplicaError } from "./Distributed/Errors.ts"
export { shareOf } from "./Distributed/JobArray.ts"
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
}

/** Where replicas meet. */
export interface Meeting {
  /**
   * Joins the others: `asked` is what this replica was asked to train, `plan` what the first one makes of it.
   *
   * @errors ReplicaError where somebody is missing, or differs
   */
  readonly join: (told: {
    readonly asked: Readonly<Record<string, unknown>>
    readonly plan?: Planned
    readonly version: string
  }) => Effect.Effect<Joined, ReplicaError>
  /**
   * Runs all that this replica does, from its plan to its end, and tells the others how it ends. An error that comes of
   * another's end is told as that.
   */
  readonly attend: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ReplicaError, R>
}

/** Seconds in which a replica ends by itself once others are lost; it may hang in TensorFlow for ever. */
const GRACE = 8

/** Milliseconds in which it is known why TensorFlow lost a partner. */
const KNOWN_AFTER = 3000

/** Errors that TensorFlow gives where a partner is gone. */
const isOfPartners = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ExecutionError"

/** What a replica knows of the others. */
interface Standing {
  heartbeat: Heartbeat | undefined
  addresses: ReadonlyArray<string>
  /** Steps done. */
  step: number
  isLost: boolean
  /** What ends when others are lost. */
  readonly aborts: Array<Effect.Effect<void>>
}

const replicasOf = ({ count, index }: Place, continues: boolean, standing: Standing): ReplicasShape => ({
  share: { index, count },
  continues,
  at: (done) => {
    standing.step = done
    standing.heartbeat?.at(done)
  },
  closing: Effect.suspend(() => standing.heartbeat?.closing ?? Effect.void),
  onLost: (abort) =>
    Effect.suspend(() => {
      standing.aborts.push(abort)
      return standing.isLost ? abort : Effect.void
    }),
  isLost: Effect.sync(() => standing.isLost)
})

/** What an error means: that others have ended, where it comes of that. */
const meaningOf = Effect.fnUntraced(function* <E>(error: E, standing: Standing, silence: number) {
  const { addresses, heartbeat, step } = standing
  if (heartbeat === undefined || !isOfPartners(error)) return error
  const known = yield* Effect.timeoutOption(heartbeat.verdict, KNOWN_AFTER)
  if (Option.isNone(known)) return error
  const because = known.value
  if (because._tag === "Ended" && because.ending === "interrupted") return yield* Effect.interrupt
  return new ReplicaError({
    reason: because._tag === "Ended" ? "Ended" : "Lost",
    message: describeVerdict(because, { addresses, silence, step })
  })
})

/**
 * Opens the meeting of replicas. What it starts ends with the scope.
 *
 * @errors ReplicaError where the first replica cannot listen for the others
 */
export const openMeeting = Effect.fn("openMeeting")(function* (
  place: Place,
  { secret, silence, timeout }: JoinOptions
): Effect.fn.Return<Meeting, ReplicaError, Scope.Scope> {
  const { coordinator, index } = place
  const scope = yield* Effect.scope
  const meeting = yield* Scope.fork(scope)
  const host = index === 0 ? yield* ownAddress(coordinator.host) : coordinator.host
  const options = { ...place, address: host, timeout, secret }
  const { leave, meet } = yield* Scope.provide(openRendezvous(options), meeting)
  const standing: Standing = { heartbeat: undefined, addresses: [], step: 0, isLost: false, aborts: [] }

  const ready = Effect.fnUntraced(function* (found: Ready) {
    const met = yield* meet("ready", found)
    yield* checkSame(met, yield* decodeMet(Ready, met), (told) => ({ ...told }))
    yield* Scope.close(meeting, Exit.void)
    const { addresses } = standing
    // The first one listens where the others see it.
    const seen = index === 0 ? addresses[0].split(":")[0] : host
    const heard = { index, addresses, host: seen, port: coordinator.port, secret, silence, grace: GRACE }
    const onVerdict = (): void => {
      standing.isLost = true
      for (const abort of standing.aborts) Effect.runFork(abort)
    }
    standing.heartbeat = yield* Scope.provide(startHeartbeat(heard, onVerdict), scope)
    return addresses
  })

  const join: Meeting["join"] = Effect.fnUntraced(function* ({ asked, plan, version }) {
    const joining: Joining = { shakedrop: version, asked, port: yield* freePort, ...(plan && { plan }) }
    const met = yield* meet("join", joining)
    const told = yield* decodeMet(Joining, met)
    yield* checkSame(met, told, ({ asked, shakedrop }) => ({ shakedrop, ...asked }))
    standing.addresses = met.map(({ address }, i) => `${address}:${told[i].port}`)
    const planned = told[0].plan
    if (planned === undefined) return yield* Effect.die(new Error("the first replica has told no plan"))
    return { plan: planned, ready, replicas: replicasOf(place, planned.begun, standing) }
  })

  const end = (exit: Exit.Exit<unknown, unknown>) => {
    const { heartbeat } = standing
    if (Exit.isSuccess(exit)) return heartbeat?.end("finished", "") ?? Effect.void
    const [ending, why] = Exit.hasInterrupts(exit)
      ? (["interrupted", "it was interrupted"] as const)
      : (["failed", messageOf(exit)] as const)
    // A difference between replicas is found on all of them.
    if (heartbeat === undefined && isDifference(exit)) return Effect.void
    return heartbeat?.end(ending, why) ?? leave(why)
  }

  const attend = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | ReplicaError, R> => {
    const told = Effect.catch(
      work,
      (error: E): Effect.Effect<never, E | ReplicaError> =>
        Effect.flatMap(meaningOf(error, standing, silence), Effect.fail)
    )
    return Effect.onExit(told, end)
  }
  return { join, attend }
})

const isDifference = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Option.exists(
    Exit.findErrorOption(exit),
    (error) => error instanceof ReplicaError && error.reason === "Differs"
  )

const messageOf = (exit: Exit.Exit<unknown, unknown>): string => {
  const error = Exit.findErrorOption(exit)
  if (error._tag === "None") return "it has an internal error"
  const { value } = error
  return value instanceof Error ? value.message : String(value)
}
