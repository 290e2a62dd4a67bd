/** From a request's images to an answer, with the time of each part counted. */
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import { ServeError } from "../Errors.ts"
import type { Metrics } from "../Metrics.ts"
import type { Model } from "../Model/Models.ts"
import type { Network } from "../Model/Network.ts"
import type { Pixels } from "../Protocol/Pixels.ts"
import { Admission } from "./Body.ts"

interface Asked<Request, E, R> {
  /** Reads the request and gives its images; of none, nothing is asked. */
  readonly read: (
    body: Uint8Array,
    network: Network
  ) => Effect.Effect<{ readonly request: Request; readonly images: Pixels }, E, R>
  /** Answers from rows [images,classes]. */
  readonly answer: (
    request: Request,
    network: Network,
    rows: Float32Array
  ) => HttpServerResponse.HttpServerResponse
}

const seconds = (since: number): number => (performance.now() - since) / 1000

/** Answers the request at hand by a model. */
export const infer = <Request, E, R>(
  model: Model,
  metrics: Metrics,
  { answer, read }: Asked<Request, E, R>
) =>
  Effect.gen(function* () {
    const admission = yield* Admission
    const body = yield* admission.body
    yield* admission.enter
    const arrived = performance.now()
    return yield* model.use(({ batching, network, statistics }) =>
      Effect.gen(function* () {
        const { images, request } = yield* read(body, network)
        const preprocessing = seconds(arrived)
        if (images.count === 0) return answer(request, network, new Float32Array(0))
        const { deviceSeconds, queueSeconds, rows } = yield* batching.submit(images.data, images.count)
        if (!rows.every(Number.isFinite)) {
          return yield* new ServeError({
            reason: "NotFinite",
            message: `the model ${model.name} answers with NaN or infinity`
          })
        }
        const begin = performance.now()
        const response = answer(request, network, rows)
        const stages = {
          queue: queueSeconds,
          preprocessing,
          device: deviceSeconds,
          postprocessing: seconds(begin)
        }
        statistics.succeeded(images.count, stages)
        metrics.stages({ model: model.name, version: model.version }, images.count, stages)
        return response
      }).pipe(Effect.tapError(() => Effect.sync(() => statistics.failed(seconds(arrived)))))
    )
  })
