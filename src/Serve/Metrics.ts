/** What is counted while serving, for Prometheus to fetch. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type { Batch } from "./Model/Batching.ts"
import type { Stages } from "./Model/Statistics.ts"

/** Seconds that sort durations, from a tenth of a millisecond to half a minute. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const requests = Metric.counter("shakedrop_http_requests_total", {
  description: "Requests by route and status",
  incremental: true
})
const requestSeconds = Metric.histogram("shakedrop_http_request_duration_seconds", {
  description: "From a request's headers to its answer",
  boundaries: SECONDS
})
const refusals = Metric.counter("shakedrop_refused_requests_total", {
  description: "Requests that a limit of the server refused",
  incremental: true
})
const stageSeconds = Metric.histogram("shakedrop_stage_duration_seconds", {
  description: "Parts of an inference: queue, preprocessing, device, postprocessing",
  boundaries: SECONDS
})
const images = Metric.counter("shakedrop_images_total", {
  description: "Images that were answered",
  incremental: true
})
const batchImages = Metric.histogram("shakedrop_batch_images", {
  description: "Images in a run of the device",
  boundaries: [1, 2, 4, 8, 16, 32, 64, 128, 256]
})
const deviceSeconds = Metric.counter("shakedrop_device_busy_seconds_total", {
  description: "Time that the device computed",
  incremental: true
})
const waitingImages = Metric.gauge("shakedrop_waiting_images", {
  description: "Images that wait for a batch"
})
const residentBytes = Metric.gauge("process_resident_memory_bytes", { description: "Memory of the process" })
const heapBytes = Metric.gauge("nodejs_heap_size_used_bytes", { description: "Of it, JavaScript's heap" })
const cpuSeconds = Metric.gauge("process_cpu_seconds", { description: "Processor time of the process" })
const startTime = Metric.gauge("process_start_time_seconds", { description: "When the process began" })

/** A model by its labels. */
export interface ModelLabels {
  readonly model: string
  readonly version: string
}

export interface Metrics {
  readonly request: (
    labels: { readonly route: string; readonly method: string; readonly status: number },
    seconds: number
  ) => void
  readonly refused: (limit: string) => void
  readonly stages: (model: ModelLabels, images: number, stages: Stages) => void
  readonly batch: (model: ModelLabels, batch: Batch) => void
  /** The exposition format's text. */
  readonly text: (waiting: ReadonlyArray<readonly [ModelLabels, number]>) => string
}

const STARTED = Date.now() / 1000 - process.uptime()

/** Counters of one server: those of others in the process are not among them. */
export const makeMetrics: Effect.Effect<Metrics> = Effect.sync(() => {
  const context = Context.make(Metric.MetricRegistry, new Map())
  const tell = <Input, State>(
    metric: Metric.Metric<Input, State>,
    value: Input,
    labels: Readonly<Record<string, string>> = {}
  ): void => Metric.withAttributes(metric, labels).updateUnsafe(value, context)
  return {
    request: ({ method, route, status }, seconds) => {
      tell(requests, 1, { route, method, status: String(status) })
      tell(requestSeconds, seconds, { route })
    },
    refused: (limit) => tell(refusals, 1, { limit }),
    stages: ({ model, version }, count, stages) => {
      tell(images, count, { model, version })
      for (const [stage, seconds] of Object.entries(stages)) {
        tell(stageSeconds, seconds, { model, version, stage })
      }
    },
    batch: ({ model, version }, batch) => {
      tell(batchImages, batch.images, { model, version })
      tell(deviceSeconds, batch.seconds, { model, version })
    },
    text: (waiting) => {
      for (const [{ model, version }, count] of waiting) tell(waitingImages, count, { model, version })
      const { heapUsed, rss } = process.memoryUsage()
      const { system, user } = process.cpuUsage()
      tell(residentBytes, rss)
      tell(heapBytes, heapUsed)
      tell(cpuSeconds, (system + user) / 1e6)
      tell(startTime, STARTED)
      return PrometheusMetrics.formatUnsafe(context)
    }
  }
})
