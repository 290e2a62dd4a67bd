/**
 * TensorFlow Serving's REST: `:predict` with rows (`instances`) or columns (`inputs`), and the state of a model.
 * https://www.tensorflow.org/tfx/serving/api_rest
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { badRequest, Refusal } from "../Errors.ts"
import { decoded } from "../Http/Body.ts"
import type { Model } from "../Model/Models.ts"
import type { Network } from "../Model/Network.ts"
import { outputNames, outputOf } from "./Outputs.ts"
import { countOf, fill, imageBytes } from "./Pixels.ts"

const Request = Schema.Struct({
  signature_name: Schema.optionalKey(Schema.Literals(["serving_default", "predict"])),
  instances: Schema.optionalKey(Schema.NonEmptyArray(Schema.Unknown)),
  inputs: Schema.optionalKey(Schema.Unknown)
})

/** An image that was sent: pixels, or a file in base64 that is decoded as for `classify`. */
export type Instance =
  | { readonly _tag: "Pixels"; readonly data: Uint8Array }
  | { readonly _tag: "File"; readonly bytes: Uint8Array }

export interface PredictRequest {
  readonly format: "row" | "column"
  readonly instances: ReadonlyArray<Instance>
}

/** What is under the only input's name, or the value itself. */
const ofImages = (value: unknown): unknown =>
  Predicate.hasProperty(value, "images") && Object.keys(value).length === 1 ? value.images : value

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

const instanceOf = (value: unknown, { size }: Network): Effect.Effect<Instance, Refusal> => {
  const inner = ofImages(value)
  if (Predicate.hasProperty(inner, "b64") && typeof inner.b64 === "string") {
    if (!BASE64.test(inner.b64)) return Effect.fail(badRequest("b64 is not base64"))
    return Effect.succeed({ _tag: "File", bytes: Buffer.from(inner.b64, "base64") })
  }
  const data = new Uint8Array(imageBytes(size))
  const problem = fill(inner, [size.height, size.width, 3], data)
  return problem === undefined ? Effect.succeed({ _tag: "Pixels", data }) : Effect.fail(problem)
}

/** Reads a request's JSON. */
export const readPredictRequest = Effect.fnUntraced(function* (json: unknown, network: Network) {
  const { inputs, instances } = yield* decoded(Request, json)
  if ((inputs === undefined) === (instances === undefined)) {
    return yield* badRequest("a request has either instances or inputs")
  }
  const all = instances ?? ofImages(inputs)
  if (!Array.isArray(all)) return yield* badRequest("inputs is a list of images, or an object with images")
  const { height, width } = network.size
  const count = countOf([all.length, height, width, 3], network.size)
  if (count instanceof Refusal) return yield* count
  return {
    format: instances === undefined ? "column" : "row",
    instances: yield* Effect.forEach(all, (value: unknown) => instanceOf(value, network))
  } satisfies PredictRequest
})

/** The answer: an object of outputs for each image, or lists of outputs; without names where there is only one. */
export const predictAnswer = ({ format }: PredictRequest, network: Network, rows: Float32Array) => {
  const names = outputNames(network)
  const columns = names.map((name) => {
    const values = outputOf(network, name, rows)
    const { length } = network.classes
    const perImage = Array.from({ length: values.length / length }, (_, image) =>
      Array.from(values.subarray(image * length, (image + 1) * length))
    )
    return [name, perImage] as const
  })
  const [[, only]] = columns
  if (format === "column") {
    return { outputs: columns.length === 1 ? only : Object.fromEntries(columns) }
  }
  const named = only.map((_, image) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[image]]))
  )
  return { predictions: columns.length === 1 ? only : named }
}

/** The state of a model's versions, and, as KServe's first protocol has it, whether one answers. */
export const versionStatus = (name: string, versions: ReadonlyArray<Model>) => ({
  name,
  ready: versions.some(({ loaded }) => loaded() !== undefined),
  model_version_status: versions.map(({ loaded, version }) => ({
    version,
    state: loaded() === undefined ? "LOADING" : "AVAILABLE",
    status: { error_code: "OK", error_message: "" }
  }))
})
