/**
 * OpenTelemetry and Prometheus: what a training shows to effect's metrics and tracers goes to a collector, or is there
 * to be fetched.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type { LogConfig } from "../Config/Log.ts"
import { httpClient } from "../Platform/HttpClient.ts"
import { VERSION } from "../Platform/Version.ts"

type Warn = (text: string) => void

/** How often numbers and spans are sent, and how long the last ones may take. */
const EVERY = "5 seconds"
const PATIENCE = "5 seconds"

/** The client, which says once that the collector cannot be reached. effect's exporters try again after a while. */
const tellingClient = (url: string, warn: Warn) =>
  Effect.map(httpClient, (client) => {
    let hasFailed = false
    return client.pipe(
      HttpClient.filterStatusOk,
      HttpClient.tapError(() =>
        Effect.sync(() => {
          if (!hasFailed)
            warn(`OTLP: ${url} does not take what is sent; the training goes on, and this is tried again`)
          hasFailed = true
        })
      )
    )
  })

/** Sends the metrics and spans of what it is provided to. */
export const otlp = ({ url }: NonNullable<LogConfig["otlp"]>, warn: Warn) => {
  const base = url.replace(/\/+$/, "")
  const options = {
    resource: { serviceName: "shakedrop", serviceVersion: VERSION },
    exportInterval: EVERY,
    shutdownTimeout: PATIENCE
  } as const
  return Layer.mergeAll(
    OtlpMetrics.layer({ ...options, url: `${base}/v1/metrics` }),
    OtlpTracer.layer({ ...options, url: `${base}/v1/traces` })
  ).pipe(
    Layer.provide(OtlpSerialization.layerJson),
    Layer.provide(Layer.effect(HttpClient.HttpClient, tellingClient(base, warn)))
  )
}

const answer = Effect.gen(function* () {
  const { method, url } = yield* HttpServerRequest.HttpServerRequest
  if (method !== "GET" || url !== "/metrics") return HttpServerResponse.empty({ status: 404 })
  return HttpServerResponse.text(yield* PrometheusMetrics.format(), {
    contentType: "text/plain; version=0.0.4; charset=utf-8"
  })
})

/** Shows the metrics at `/metrics` until the scope ends, where the port is free. */
export const prometheus = Effect.fnUntraced(function* (
  { host, port }: NonNullable<LogConfig["prometheus"]>,
  warn: Warn
) {
  yield* NodeHttpServer.make(createServer, { host, port, gracefulShutdownTimeout: 0 }).pipe(
    Effect.flatMap(({ serve }) => serve(answer)),
    Effect.catch(({ cause }) =>
      Effect.sync(() =>
        warn(
          `Prometheus: ${host}, port ${port} cannot be listened on (${(cause as Error).message}); the training goes on without`
        )
      )
    )
  )
})
