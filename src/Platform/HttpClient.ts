/**
 * HTTP through the proxies that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, or in lower case), by
 * effect's client on undici's dispatcher. A program that provides an `HttpClient` of its own is asked instead.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Dispatcher } from "undici"

/** Milliseconds without a byte after which a connection counts as lost. */
export const SILENCE = 30_000

/** A proxy that the environment names cannot be used; `message` says which and why. */
export class ProxyError extends Data.TaggedError("ProxyError")<{ readonly message: string }> {}

/** A variable of the environment, in lower or upper case. */
const variable = (name: string) =>
  Config.String(name).pipe(
    Config.orElse(() => Config.String(name.toUpperCase())),
    Config.withDefault("")
  )

/** A proxy's address; without a scheme it is one of HTTP, as for curl. */
const addressOf = (name: string, value: string): Effect.Effect<string, ProxyError> => {
  const address = value === "" || value.includes("://") ? value : `http://${value}`
  return address === "" || (URL.canParse(address) && /^(https?|socks5):/i.test(address))
    ? Effect.succeed(address)
    : Effect.fail(
        new ProxyError({
          message: `the proxy of ${name.toUpperCase()} is not an address of http, https or socks5`
        })
      )
}

const proxy = (name: string) =>
  Effect.flatMap(
    Effect.orElseSucceed(variable(name), () => ""),
    (value) => addressOf(name, value)
  )

/** effect asks for no limits, which it would measure itself: here it is the connection's silence that counts. */
const withLimits: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
  dispatch({ ...options, headersTimeout: SILENCE, bodyTimeout: SILENCE }, handler)

const dispatcher = Effect.gen(function* () {
  const settings = {
    httpProxy: yield* proxy("http_proxy"),
    httpsProxy: yield* proxy("https_proxy"),
    noProxy: yield* Effect.orElseSucceed(variable("no_proxy"), () => ""),
    // Proxies pass plain HTTP on when they are asked for it; many refuse a tunnel to any port but that of HTTPS.
    proxyTunnel: false
  }
  const { EnvHttpProxyAgent } = yield* Effect.promise(() => import("undici"))
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new EnvHttpProxyAgent(settings)),
    (agent) => Effect.promise(() => agent.destroy())
  )
  // effect's own undici is a later one, which Node 20 cannot load: of it, only types know.
  return agent.compose(withLimits) as unknown as NodeHttpClient.Dispatcher["Service"]
})

const proxied = NodeHttpClient.layerUndiciNoDispatcher.pipe(
  Layer.provide(Layer.effect(NodeHttpClient.Dispatcher, dispatcher))
)

/** The program's own client, else one that goes through the environment's proxies and ends with the scope. */
export const httpClient = Effect.flatMap(
  Effect.serviceOption(HttpClient.HttpClient),
  Option.match({
    onSome: Effect.succeed,
    onNone: () => Effect.map(Layer.build(proxied), (context) => Context.get(context, HttpClient.HttpClient))
  })
)
