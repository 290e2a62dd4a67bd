/**
 * Routes: what is answered where, to whom, with which errors. Every answer is counted and logged, and every error is
 * told as the protocols say: `{"error": …}` with a status, without anything of the program or the machine.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { badRequest, Refusal } from "../Errors.ts"
import type { Metrics } from "../Metrics.ts"
import type { AccessLog } from "./AccessLog.ts"
import type { Authorise, Role } from "./Tokens.ts"

type Response = HttpServerResponse.HttpServerResponse

/** What a handler finds around it. */
export type InRequest = HttpServerRequest.HttpServerRequest | HttpRouter.RouteContext | Scope.Scope

export interface Route<R = never> {
  readonly method: "GET" | "POST"
  /** As the router takes it: `:name` is a parameter, `:name(^[^:]+)` one that ends before a colon, `::` a colon. */
  readonly path: `/${string}`
  /** Who may ask; anybody where there is no role. */
  readonly role?: Role
  /** A failure that is no refusal is one of the model or of the program, and is told as such. */
  readonly handler: Effect.Effect<Response, unknown, R | InRequest>
}

/** A parameter of the route's path. */
export const parameter = (name: string): Effect.Effect<string, Refusal, HttpRouter.RouteContext> =>
  Effect.flatMap(HttpRouter.params, (params) => {
    const value = params[name]
    return value === undefined ? Effect.fail(badRequest(`${name} is missing`)) : Effect.succeed(value)
  })

/** As `parameter`, where a route may be without it. */
export const optionalParameter = (
  name: string
): Effect.Effect<string | undefined, never, HttpRouter.RouteContext> =>
  Effect.map(HttpRouter.params, (params) => params[name])

/** A value of the query, where it is given once. */
export const query = (name: string) =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => {
    const at = url.indexOf("?")
    return at < 0 ? undefined : (new URLSearchParams(url.slice(at)).get(name) ?? undefined)
  })

const SAFE = { "x-content-type-options": "nosniff", "cache-control": "no-store" }

const errorResponse = (status: number, message: string, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.jsonUnsafe({ error: message }, { status, headers })

const failed = (): Response => errorResponse(500, "the server could not answer: its log says why")

interface Surroundings {
  readonly authorise: Authorise
  readonly metrics: Metrics
  readonly log: AccessLog
  /** Seconds that a request may take. */
  readonly timeout: number
}

const inTime = (timeout: number) =>
  Effect.timeoutOrElse({
    duration: timeout * 1000,
    orElse: () =>
      Effect.fail(
        new Refusal({
          status: 503,
          limit: "time",
          message: `this took longer than ${timeout} s`,
          headers: { "retry-after": "1" }
        })
      )
  })

/** Answers a request, counts it and logs it. */
const answered = <R>(
  route: string,
  handler: Effect.Effect<Response, unknown, R>,
  { log, metrics, timeout }: Surroundings
) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const begin = performance.now()
    let problem: string | undefined
    const tell = (status: number): void => {
      const seconds = (performance.now() - begin) / 1000
      metrics.request({ route, method: request.method, status }, seconds)
      log({
        method: request.method,
        path: request.url,
        status,
        seconds,
        client: Option.getOrUndefined(request.remoteAddress),
        problem
      })
    }
    const response = yield* handler.pipe(
      inTime(timeout),
      Effect.catchCause((cause) => {
        const error = Cause.squash(cause)
        if (error instanceof Refusal) {
          if (error.limit !== undefined) metrics.refused(error.limit)
          problem = error.message
          return Effect.succeed(errorResponse(error.status, error.message, error.headers))
        }
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
        problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        return Effect.succeed(failed())
      }),
      // Who hangs up is told nothing: 499, as nginx logs it.
      Effect.onInterrupt(() => Effect.sync(() => tell(499)))
    )
    tell(response.status)
    return HttpServerResponse.setHeaders(response, SAFE)
  })

/** A route's path as metrics and people have it, with `{name}` for a parameter. */
const labelOf = (path: string): string =>
  path.replace(/(?<!:):([a-z]+)(?:\(\^\[\^:\]\+\))?(?=\/|$|::)/g, "{$1}").replace("::", ":")

/** Refuses a request to none of the routes: its address has nothing, or is for other methods. */
const refuse = (routes: ReadonlyArray<Pick<Route, "method" | "path">>) => {
  const patterns = routes.map(({ method, path }) => ({
    methods: method === "GET" ? ["GET", "HEAD"] : [method],
    pattern: new RegExp(`^${labelOf(path).replace(/\{[a-z]+\}/g, "[^/:?]+")}(\\?|$)`)
  }))
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) => {
    const there = patterns.filter(({ pattern }) => pattern.test(url))
    if (there.length === 0) {
      return Effect.fail(new Refusal({ status: 404, message: "there is nothing at this address" }))
    }
    const allow = [...new Set(there.flatMap(({ methods }) => methods))].join(", ")
    return Effect.fail(
      new Refusal({ status: 405, message: `this address takes ${allow}`, headers: { allow } })
    )
  })
}

/** An application of routes. What is at none of them is told as any other error. */
export const application = <R>(routes: ReadonlyArray<Route<R>>, surroundings: Surroundings) =>
  Effect.gen(function* () {
    const { authorise } = surroundings
    const layer = HttpRouter.use((router) =>
      Effect.gen(function* () {
        for (const { handler, method, path, role } of routes) {
          const guarded = Effect.gen(function* () {
            const { headers } = yield* HttpServerRequest.HttpServerRequest
            if (role !== undefined) yield* authorise(headers.authorization, role)
            return yield* handler
          })
          yield* router.add(method, path, answered(labelOf(path), guarded, surroundings))
        }
      })
    )
    const routed = yield* HttpRouter.toHttpEffect(layer)
    // What routes fail with is answered already: this is a request to none of them.
    return Effect.catch(routed, () => answered("other", refuse(routes), surroundings))
  })
