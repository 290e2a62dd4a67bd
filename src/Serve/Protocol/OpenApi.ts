/** What programs can ask, as OpenAPI 3.1 describes it. */
import { VERSION } from "../../Platform/Version.ts"
import { MOST_IMAGES } from "../Options.ts"

type Json = Readonly<Record<string, unknown>>

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const content = (schema: Json): Json => ({ "application/json": { schema } })
const answer = (description: string, schema: Json): Json => ({ description, content: content(schema) })
const list = (items: Json): Json => ({ type: "array", items })
const object = (properties: Json, required: ReadonlyArray<string> = Object.keys(properties)): Json => ({
  type: "object",
  properties,
  required
})

const text = { type: "string" }
const binary = { type: "string", format: "binary" }
const yes = { type: "boolean" }

/** What every route that takes a body may refuse with. */
const REFUSALS: ReadonlyArray<readonly [status: number, description: string]> = [
  [400, "What was sent is wrong"],
  [401, "A token is needed"],
  [403, "The token may not do this"],
  [404, "There is no such model"],
  [408, "The request did not arrive in time"],
  [413, "The body is too large"],
  [415, "The body is of a kind that is not taken"],
  [431, "The headers are too large"],
  [500, "The server could not answer"],
  [503, "Too much is in work already, or the model is not ready"]
]

const refusals = (...statuses: ReadonlyArray<number>): Json =>
  Object.fromEntries(
    REFUSALS.filter(([status]) => statuses.length === 0 || statuses.includes(status)).map(
      ([status, description]) => [status, answer(description, ref("Error"))]
    )
  )

const get = (operationId: string, summary: string, schema: Json, open = false): Json => ({
  get: {
    operationId,
    summary,
    ...(open ? { security: [] } : {}),
    responses: { 200: answer(summary, schema), ...refusals(400, 401, 403, 404, 431, 503) }
  }
})

const post = (
  operationId: string,
  summary: string,
  body: Json,
  schema: Json,
  parameters: ReadonlyArray<Json>
) => ({
  post: {
    operationId,
    summary,
    parameters,
    requestBody: { required: true, content: body },
    responses: { 200: schema, ...refusals() }
  }
})

const pathParameter = (name: string): Json => ({ name, in: "path", required: true, schema: text })

const header: Json = {
  name: "Inference-Header-Content-Length",
  in: "header",
  required: false,
  description: "Bytes of the JSON, where those of tensors follow it",
  schema: { type: "integer", minimum: 1 }
}

const top: Json = {
  name: "top",
  in: "query",
  required: false,
  description: "Give the probabilities of this many classes only",
  schema: { type: "integer", minimum: 1, maximum: 999_999 }
}

const image = {
  "image/jpeg": { schema: binary },
  "image/png": { schema: binary },
  "image/webp": { schema: binary }
}

const modelPaths = (path: string, suffix: string, parameters: ReadonlyArray<Json>): Json => {
  const named = (item: Json): Json => ({ parameters, ...item })
  return {
    [path]: named(get(`metadata${suffix}`, "What a model takes and gives", ref("ModelMetadata"))),
    [`${path}/ready`]: named(
      get(`modelReady${suffix}`, "Whether a model answers", object({ name: text, ready: yes }), true)
    ),
    [`${path}/labels`]: named(
      get(
        `labels${suffix}`,
        "The classes of a model, in the order of its outputs",
        object({ labels: list(text) })
      )
    ),
    [`${path}/stats`]: named(
      get(
        `modelStatistics${suffix}`,
        "What a model has done",
        object({ model_stats: list({ type: "object" }) })
      )
    ),
    [`${path}/infer`]: named(
      post(
        `infer${suffix}`,
        "What a model says of images that are tensors (Open Inference Protocol)",
        { ...content(ref("InferRequest")), "application/octet-stream": { schema: binary } },
        {
          description: "The outputs",
          content: { ...content(ref("InferAnswer")), "application/octet-stream": { schema: binary } }
        },
        [header]
      )
    ),
    [`${path}/classify`]: named(
      post(
        `classify${suffix}`,
        "The classes of an image, likeliest first; of several as a form, each by itself",
        { ...image, "multipart/form-data": { schema: { type: "object", additionalProperties: binary } } },
        answer("The classes", { oneOf: [ref("Classes"), list(ref("FileClasses"))] }),
        [top]
      )
    )
  }
}

const model = pathParameter("model")
const version = pathParameter("version")

const servingPaths = (path: string, suffix: string, parameters: ReadonlyArray<Json>): Json => ({
  [path]: {
    parameters,
    ...get(`state${suffix}`, "The state of a model (TensorFlow Serving)", { type: "object" })
  },
  [`${path}:predict`]: {
    parameters,
    ...post(
      `predict${suffix}`,
      "What a model says of images (TensorFlow Serving)",
      content(ref("PredictRequest")),
      answer("Predictions", { type: "object" }),
      []
    )
  }
})

const tensorSchema = (datatypes: ReadonlyArray<string>, required: ReadonlyArray<string>): Json =>
  object(
    {
      name: text,
      shape: list({ type: "integer" }),
      datatype: { enum: datatypes },
      parameters: { type: "object" },
      data: { type: "array" }
    },
    required
  )

const SIGNATURES = { enum: ["serving_default", "predict"] }

export const openApi: Json = {
  openapi: "3.1.0",
  info: {
    title: "shakedrop",
    version: VERSION,
    description: 'Classifies images. Every error is {"error": text}.'
  },
  components: {
    securitySchemes: { token: { type: "http", scheme: "bearer" } },
    schemas: {
      Error: object({ error: text }),
      Classes: list(object({ class: text, probability: { type: "number", minimum: 0, maximum: 1 } })),
      FileClasses: object({ file: text, predictions: ref("Classes"), error: text }, ["file"]),
      ModelMetadata: object({
        name: text,
        versions: list(text),
        platform: text,
        inputs: list(object({ name: text, datatype: text, shape: list({ type: "integer" }) })),
        outputs: list(object({ name: text, datatype: text, shape: list({ type: "integer" }) }))
      }),
      InferRequest: object(
        {
          id: text,
          parameters: { type: "object" },
          inputs: {
            type: "array",
            minItems: 1,
            maxItems: 1,
            description: `images, UINT8 [N, height, width, 3] with 1 to ${MOST_IMAGES} images`,
            items: tensorSchema(["UINT8"], ["name", "shape", "datatype"])
          },
          outputs: list(
            object({ name: { enum: ["logits", "probabilities"] }, parameters: { type: "object" } }, ["name"])
          )
        },
        ["inputs"]
      ),
      InferAnswer: object(
        {
          model_name: text,
          model_version: text,
          id: text,
          outputs: list(tensorSchema(["FP32", "BYTES"], ["name", "shape", "datatype"]))
        },
        ["model_name", "model_version", "outputs"]
      ),
      PredictRequest: {
        oneOf: [
          object(
            { signature_name: SIGNATURES, instances: { type: "array", minItems: 1, maxItems: MOST_IMAGES } },
            ["instances"]
          ),
          object({ signature_name: SIGNATURES, inputs: { type: ["array", "object"] } }, ["inputs"])
        ]
      }
    }
  },
  security: [{}, { token: [] }],
  paths: {
    "/v2/health/live": get("live", "Whether the server lives", object({ live: yes }), true),
    "/v2/health/ready": get("ready", "Whether every model answers", object({ ready: yes }), true),
    "/v2": get("server", "What the server is", object({ name: text, version: text, extensions: list(text) })),
    "/v2/models": get("models", "The models by their names", object({ models: list(text) })),
    "/v2/models/stats": get(
      "statistics",
      "What all models have done",
      object({ model_stats: list({ type: "object" }) })
    ),
    ...modelPaths("/v2/models/{model}", "", [model]),
    ...modelPaths("/v2/models/{model}/versions/{version}", "OfVersion", [model, version]),
    ...servingPaths("/v1/models/{model}", "", [model]),
    ...servingPaths("/v1/models/{model}/versions/{version}", "OfVersion", [model, version]),
    "/metrics": {
      get: {
        operationId: "metrics",
        summary: "Counters for Prometheus",
        responses: {
          200: { description: "The exposition format", content: { "text/plain": { schema: text } } },
          ...refusals(401, 403, 431)
        }
      }
    }
  }
}
