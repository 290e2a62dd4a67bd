/** What is answered: health, metadata, inference in three forms, statistics, metrics, and a page for people. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { badRequest, Refusal } from "../Errors.ts"
import type { Metrics } from "../Metrics.ts"
import type { Model, Models } from "../Model/Models.ts"
import type { Network } from "../Model/Network.ts"
import { pageAnswer } from "../Page/Page.ts"
import { type ImageFile, Images, readImages, type SentImages } from "../Protocol/ImageFiles.ts"
import { inferAnswer } from "../Protocol/InferAnswer.ts"
import { JSON_LENGTH, readInferRequest } from "../Protocol/InferRequest.ts"
import { labelsOf, modelMetadata, serverMetadata } from "../Protocol/Metadata.ts"
import { openApi } from "../Protocol/OpenApi.ts"
import { likeliest } from "../Protocol/Outputs.ts"
import { imageBytes } from "../Protocol/Pixels.ts"
import {
  type PredictRequest,
  predictAnswer,
  readPredictRequest,
  versionStatus
} from "../Protocol/TensorFlowServing.ts"
import { type Admission, jsonOf } from "./Body.ts"
import { infer } from "./Inference.ts"
import { type InRequest, optionalParameter, parameter, query, type Route } from "./Route.ts"

type Needs = Admission | Images

const json = (value: unknown) => HttpServerResponse.jsonUnsafe(value)

/** The model that a path names. */
const modelHere = (models: Models): Effect.Effect<Model, Refusal, InRequest> =>
  Effect.gen(function* () {
    const version = yield* optionalParameter("version")
    return yield* models.find(yield* parameter("model"), version)
  })

/** `top` of the query: of how many classes probabilities are given. */
const topOf = Effect.gen(function* () {
  const text = yield* query("top")
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  return yield* badRequest("top is a number of classes from 1")
})

/** The pixels of files that can be decoded, in their order, and why others cannot. */
const decodeFiles = Effect.fnUntraced(function* (files: ReadonlyArray<ImageFile>, { size }: Network) {
  const images = yield* Images
  const decoded = yield* Effect.forEach(
    files,
    ({ bytes }) =>
      Effect.match(images.decode(bytes, size), { onFailure: (error) => error, onSuccess: (d) => d }),
    { concurrency: "unbounded" }
  )
  const good = decoded.filter((result) => result instanceof Uint8Array)
  const data = new Uint8Array(good.length * imageBytes(size))
  for (const [index, pixels] of good.entries()) data.set(pixels, index * imageBytes(size))
  const problems = decoded.map((result) => (result instanceof Refusal ? result : undefined))
  return { images: { count: good.length, data }, problems }
})

interface Classified extends SentImages {
  /** Of each file, why it could not be decoded. */
  readonly problems: ReadonlyArray<Refusal | undefined>
}

const classify = (models: Models, metrics: Metrics) =>
  Effect.gen(function* () {
    const model = yield* modelHere(models)
    const top = yield* topOf
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    return yield* infer(model, metrics, {
      read: Effect.fnUntraced(function* (body, network) {
        const { files, several } = yield* readImages(body, headers["content-type"])
        const { images, problems } = yield* decodeFiles(files, network)
        const [problem] = problems
        if (!several && problem !== undefined) return yield* problem
        return { images, request: { files, several, problems } }
      }),
      answer: ({ files, problems, several }: Classified, network, rows) => {
        const said = likeliest(network, rows, top)
        if (!several) return json(said[0])
        let next = 0
        return json(
          files.map(({ name: file }, index) => {
            const problem = problems[index]
            return problem === undefined
              ? { file, predictions: said[next++] }
              : { file, error: problem.message }
          })
        )
      }
    })
  })

const inferV2 = (models: Models, metrics: Metrics) =>
  Effect.gen(function* () {
    const model = yield* modelHere(models)
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    return yield* infer(model, metrics, {
      read: (body, network) =>
        Effect.map(readInferRequest(body, headers[JSON_LENGTH], network), (request) => ({
          request,
          images: request.images
        })),
      answer: (request, network, rows) => inferAnswer(request, model, network, rows)
    })
  })

const predict = (models: Models, metrics: Metrics) =>
  Effect.gen(function* () {
    const model = yield* modelHere(models)
    return yield* infer(model, metrics, {
      read: Effect.fnUntraced(function* (body, network) {
        const request = yield* readPredictRequest(yield* jsonOf(body), network)
        const images = yield* Images
        const all = yield* Effect.forEach(
          request.instances,
          (instance) =>
            instance._tag === "Pixels"
              ? Effect.succeed(instance.data)
              : images.decode(instance.bytes, network.size),
          { concurrency: "unbounded" }
        )
        return { request, images: { count: all.length, data: Buffer.concat(all) } }
      }),
      answer: (request: PredictRequest, network, rows) => json(predictAnswer(request, network, rows))
    })
  })

/** A model's network, which fails while it is not ready. */
const networkOf = (model: Model) => model.use(({ network }) => Effect.succeed(network))

const statisticsOf = (model: Model) =>
  model.use(({ statistics }) =>
    Effect.succeed({ name: model.name, version: model.version, ...statistics.report() })
  )

/** A parameter that ends before a colon. */
const word = <const Name extends string>(name: Name) => `:${name}(^[^:]+)` as const

/** All routes. */
export const routesOf = (models: Models, metrics: Metrics): ReadonlyArray<Route<Needs>> => {
  const here = modelHere(models)
  const ready = ({ loaded }: Model): boolean => loaded() !== undefined
  const routes: Array<Route<Needs>> = [
    { method: "GET", path: "/", handler: Effect.succeed(pageAnswer) },
    { method: "GET", path: "/openapi.json", handler: Effect.sync(() => json(openApi)) },
    { method: "GET", path: "/v2/health/live", handler: Effect.sync(() => json({ live: true })) },
    {
      method: "GET",
      path: "/v2/health/ready",
      handler: Effect.sync(() =>
        HttpServerResponse.jsonUnsafe(
          { ready: models.list.every(ready) },
          { status: models.list.every(ready) ? 200 : 503 }
        )
      )
    },
    { method: "GET", path: "/v2", role: "infer", handler: Effect.sync(() => json(serverMetadata)) },
    {
      method: "GET",
      path: "/v2/models",
      role: "infer",
      handler: Effect.sync(() => json({ models: [...new Set(models.list.map(({ name }) => name))] }))
    },
    {
      method: "GET",
      path: "/v2/models/stats",
      role: "admin",
      handler: Effect.map(Effect.forEach(models.list, statisticsOf), (model_stats) => json({ model_stats }))
    },
    {
      method: "GET",
      path: "/metrics",
      role: "admin",
      handler: Effect.sync(() => {
        const waiting = models.list.map(
          ({ loaded, name, version }) =>
            [{ model: name, version }, loaded()?.batching.waiting() ?? 0] as const
        )
        return HttpServerResponse.text(metrics.text(waiting), {
          contentType: "text/plain; version=0.0.4; charset=utf-8"
        })
      })
    }
  ]
  for (const path of [
    `/v1/models/${word("model")}`,
    `/v1/models/:model/versions/${word("version")}`
  ] as const) {
    routes.push(
      {
        method: "GET",
        path,
        role: "infer",
        handler: Effect.gen(function* () {
          const model = yield* here
          const version = yield* optionalParameter("version")
          return json(
            versionStatus(model.name, version === undefined ? models.versions(model.name) : [model])
          )
        })
      },
      { method: "POST", path: `${path}::predict`, role: "infer", handler: predict(models, metrics) }
    )
  }
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"] as const) {
    routes.push(
      {
        method: "GET",
        path,
        role: "infer",
        handler: Effect.gen(function* () {
          const model = yield* here
          return json(modelMetadata(model, models.versions(model.name), yield* networkOf(model)))
        })
      },
      {
        method: "GET",
        path: `${path}/ready`,
        handler: Effect.map(here, (model) =>
          HttpServerResponse.jsonUnsafe(
            { name: model.name, ready: ready(model) },
            { status: ready(model) ? 200 : 503 }
          )
        )
      },
      {
        method: "GET",
        path: `${path}/labels`,
        role: "infer",
        handler: Effect.gen(function* () {
          return json(labelsOf(yield* networkOf(yield* here)))
        })
      },
      {
        method: "GET",
        path: `${path}/stats`,
        role: "admin",
        handler: Effect.gen(function* () {
          return json({ model_stats: [yield* statisticsOf(yield* here)] })
        })
      },
      { method: "POST", path: `${path}/infer`, role: "infer", handler: inferV2(models, metrics) },
      { method: "POST", path: `${path}/classify`, role: "infer", handler: classify(models, metrics) }
    )
  }
  return routes
}
