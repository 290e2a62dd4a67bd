/** Trained networks behind HTTP: requests become batches for the device, and what it says becomes answers. */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import { ServeError } from "./Serve/Errors.ts"
import type { AccessLog } from "./Serve/Http/AccessLog.ts"
import { Admission, makeAdmission } from "./Serve/Http/Body.ts"
import { application } from "./Serve/Http/Route.ts"
import { routesOf } from "./Serve/Http/Routes.ts"
import { readTokens, withoutTokens } from "./Serve/Http/Tokens.ts"
import { makeMetrics } from "./Serve/Metrics.ts"
import { makeModels } from "./Serve/Model/Models.ts"
import { MOST_CONNECTIONS, MOST_HEADER_BYTES, MOST_HEADERS, type ServeOptions } from "./Serve/Options.ts"
import { Images } from "./Serve/Protocol/ImageFiles.ts"

export { ServeError } from "./Serve/Errors.ts"
export { type AccessLog, accessLog } from "./Serve/Http/AccessLog.ts"
export { DEFAULTS, type ModelSource, type ServeOptions } from "./Serve/Options.ts"

/** Seconds in which headers have to arrive at most. */
const HEADERS_TIME = 10

const newServer = ({ timeout }: ServeOptions): http.Server => {
  const server = http.createServer({
    maxHeaderSize: MOST_HEADER_BYTES,
    requestTimeout: timeout * 1000,
    headersTimeout: Math.min(timeout, HEADERS_TIME) * 1000,
    connectionsCheckingInterval: 1000
  })
  server.maxHeadersCount = MOST_HEADERS
  server.maxConnections = MOST_CONNECTIONS
  // Who does not take the answer is cut as well.
  server.setTimeout(2 * timeout * 1000)
  return server
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EACCES: "it is not allowed to this user",
  EADDRNOTAVAIL: "it is no address of this machine",
  ENOTFOUND: "there is no host of that name"
}

const listen = Effect.fnUntraced(function* (options: ServeOptions) {
  const { drain, host, port } = options
  const node = newServer(options)
  const server = yield* NodeHttpServer.make(() => node, {
    host,
    port,
    gracefulShutdownTimeout: drain * 1000
  }).pipe(
    Effect.mapError(({ cause }) => {
      const { code, message } = cause as NodeJS.ErrnoException
      const why = reasons[code ?? ""] ?? message
      return new ServeError({ reason: "Address", message: `cannot listen on ${host}, port ${port}: ${why}` })
    })
  )
  // When the time to drain is over, what is still open is cut: closing the server would wait for it.
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  const { address, family, port: taken } = node.address() as AddressInfo
  return { server, url: `http://${family === "IPv6" ? `[${address}]` : address}:${taken}` }
})

/**
 * Serves models until the scope closes, and then answers what is in work for `drain` seconds at most. The server
 * listens, and says that it lives, before its models are loaded; this returns its address when each has run once.
 *
 * @errors ServeError where it cannot listen, where names or tokens are wrong, or where a network says nothing finite;
 *   and whatever is wrong with a run or an ensemble
 */
export const serve = Effect.fn("serve")(function* (options: ServeOptions, log: AccessLog) {
  const { tokens } = options
  const authorise = tokens === undefined ? withoutTokens : yield* readTokens(tokens)
  const metrics = yield* makeMetrics
  const { load, models, watch } = yield* makeModels(options, metrics)
  const images = yield* Images.make(options)
  const { server, url } = yield* listen(options)
  const { timeout } = options
  const app = yield* application(routesOf(models, metrics), { authorise, metrics, log, timeout })
  yield* server.serve(
    app.pipe(Effect.provideService(Images, images), Effect.provideService(Admission, makeAdmission(options)))
  )
  yield* load
  if (options.watch) yield* Effect.forkScoped(watch)
  return { url }
})
