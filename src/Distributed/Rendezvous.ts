/**
 * The rendezvous: replicas meet at the first one, over HTTP, before the first collective operation. Each tells
 * something and is told what all have told, or who is missing when the time is up. (TensorFlow itself waits for ever for
 * a leader that never comes.)
 */
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Place } from "./Discover.ts"
import { ReplicaError } from "./Errors.ts"
import { Answer, GOT, Hello, LEAVE, type Met, makeDesk, missingOf, replicas } from "./Rendezvous/Desk.ts"
import { isSecret } from "./Secret.ts"

export interface Rendezvous {
  /**
   * Tells the others a value (of JSON), and gives what each has told at the stage of that name, in the order of their
   * ranks, once all have.
   *
   * @errors ReplicaError where somebody is missing when the time is up, or is refused
   */
  readonly meet: (stage: string, value: unknown) => Effect.Effect<ReadonlyArray<Met>, ReplicaError>
  /** Tells the others that this replica does not come any further, and why. */
  readonly leave: (why: string) => Effect.Effect<void>
}

export interface RendezvousOptions extends Place {
  /** The IPv4 address of this process, where it is the first. */
  readonly address: string
  /** Seconds until all must have come. */
  readonly timeout: number
  /** What everybody has to know. */
  readonly secret: string | undefined
}

/** Milliseconds between two questions. */
const EVERY = 200

/** Milliseconds that an answer may take, and that the first replica may be away. */
const PATIENCE = 5000

/** Milliseconds in which others ask once more, and hear that the first replica leaves. */
const FAREWELL = 2000

const isFrom = (address: string): string => address.replace(/^::ffff:/, "")

/** Answers at the first replica's address until the scope closes. */
const serve = Effect.fnUntraced(function* (
  desk: ReturnType<typeof makeDesk>,
  { address, coordinator: { port }, secret }: RendezvousOptions
) {
  const server = yield* NodeHttpServer.make(createServer, { host: address, port }).pipe(
    Effect.mapError(({ cause }) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      return new ReplicaError({
        reason: "Address",
        message: `replica 0 cannot listen for the others on ${address}:${port}: ${why}`
      })
    })
  )
  const answer = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (!isSecret(secret, request.headers.authorization)) {
      return yield* HttpServerResponse.json({ refused: "the secret is another one than replica 0 has" })
    }
    const hello = yield* HttpServerRequest.schemaBodyJson(Hello)
    const from = isFrom(Option.getOrElse(request.remoteAddress, () => ""))
    return yield* HttpServerResponse.json(desk.come(request.url.slice(1), from, hello))
  }).pipe(
    Effect.catch(() => Effect.succeed(HttpServerResponse.empty({ status: 400 }))),
    Effect.catchDefect(() => Effect.succeed(HttpServerResponse.empty({ status: 400 })))
  )
  yield* server.serve(answer)
})

/** The first replica's own visit, until all have come, and then until all know. */
const host = (desk: ReturnType<typeof makeDesk>, options: RendezvousOptions, process: string): Rendezvous => {
  const { count, index, timeout } = options
  return {
    meet: Effect.fnUntraced(function* (name, value) {
      const stage = desk.stageOf(name)
      stage.served.add(index)
      const until = (yield* Clock.currentTimeMillis) + 1000 * timeout
      for (;;) {
        const answer = desk.come(name, options.address, { index, count, process, value })
        if ("refused" in answer) return yield* refusal(answer.refused)
        const done = "met" in answer
        if (done && stage.served.size === count) return answer.met
        if ((yield* Clock.currentTimeMillis) > until) {
          const late = missingOf(
            done
              ? { ...stage, guests: new Map([...stage.served].map((i) => [i, stage.guests.get(i)!])) }
              : stage,
            count
          )
          return yield* new ReplicaError({
            reason: "Missing",
            message: `${replicas(late)} did not come within ${timeout} s${knownAt(desk.addresses, late)}`
          })
        }
        yield* Effect.sleep(EVERY / 4)
      }
    }),
    leave: (why) => {
      desk.come(LEAVE, options.address, { index, count, process, value: { why } })
      return Effect.sleep(FAREWELL)
    }
  }
}

const refusal = (message: string) => new ReplicaError({ reason: "Refused", message })

const knownAt = (addresses: ReadonlyMap<number, string>, late: ReadonlyArray<number>): string => {
  const known = late.flatMap((index) => addresses.get(index) ?? [])
  return known.length === 0 ? "" : ` (last seen at ${known.join(", ")})`
}

const decodeAnswer = Schema.decodeUnknownEffect(Answer)

/** A visit at the first replica: asked again until all have come. */
const guest = (options: RendezvousOptions, process: string): Rendezvous => {
  const { coordinator, count, index, secret, timeout } = options
  const at = `${coordinator.host}:${coordinator.port}`
  const ask = Effect.fnUntraced(function* (stage: string, value: unknown) {
    const client = yield* HttpClient.HttpClient
    const request = HttpClientRequest.post(`http://${at}/${stage}`).pipe(
      HttpClientRequest.bodyJsonUnsafe({ index, count, process, value }),
      secret === undefined ? (request) => request : HttpClientRequest.bearerToken(secret)
    )
    const response = yield* client.execute(request)
    return yield* decodeAnswer(yield* response.json)
  }, Effect.provide(FetchHttpClient.layer))
  /** When the first replica last answered. */
  let heard: number | undefined
  return {
    meet: Effect.fnUntraced(function* (stage, value) {
      const begun = yield* Clock.currentTimeMillis
      const until = begun + 1000 * timeout
      if (heard !== undefined) heard = begun
      let missing: ReadonlyArray<number> = [0]
      for (;;) {
        const asked = yield* ask(stage, value).pipe(
          Effect.timeoutOption(PATIENCE),
          Effect.orElseSucceed(() => undefined)
        )
        const now = yield* Clock.currentTimeMillis
        // One that is busy with its data takes its time; where nobody listens any more, its process is gone.
        if (asked !== undefined) heard = now
        else if (heard !== undefined && now - heard > PATIENCE) {
          const message = `replica 0 (${at}) was lost before the first step: its process is gone`
          return yield* new ReplicaError({ reason: "Lost", message })
        }
        const answer = asked && Option.getOrUndefined(asked)
        if (answer !== undefined && "met" in answer) {
          yield* ask(GOT, stage).pipe(Effect.timeout(FAREWELL), Effect.ignore)
          return answer.met
        }
        if (answer !== undefined && "refused" in answer) return yield* refusal(answer.refused)
        missing = answer?.missing ?? [0]
        if (now > until) {
          const message = missing.includes(0)
            ? `replica 0 is not at ${at}, and did not come within ${timeout} s`
            : `${replicas(missing)} did not come to replica 0 at ${at} within ${timeout} s`
          return yield* new ReplicaError({ reason: "Missing", message })
        }
        yield* Effect.sleep(EVERY)
      }
    }),
    leave: (why) => ask(LEAVE, { why }).pipe(Effect.timeout(FAREWELL), Effect.ignore)
  }
}

/** Opens the rendezvous; the first replica listens until the scope closes. */
export const openRendezvous = Effect.fnUntraced(function* (
  options: RendezvousOptions
): Effect.fn.Return<Rendezvous, ReplicaError, Scope.Scope> {
  const process = randomUUID()
  if (options.index > 0) return guest(options, process)
  const desk = makeDesk(options.count)
  yield* serve(desk, options)
  return host(desk, options, process)
})
