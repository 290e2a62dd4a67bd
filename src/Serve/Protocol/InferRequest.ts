/**
 * A request of the Open Inference Protocol, version 2 (REST), with the extension for binary tensors: JSON first, whose
 * length a header says, and then the bytes of the tensors.
 * https://github.com/kserve/open-inference-protocol
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Size } from "../../Model/Layer/Layer.ts"
import { badRequest, Refusal } from "../Errors.ts"
import { decoded, jsonOf } from "../Http/Body.ts"
import type { Network } from "../Model/Network.ts"
import { type OutputName, outputNames } from "./Outputs.ts"
import { countOf, fill, type Pixels } from "./Pixels.ts"

/** The header that says how many bytes of JSON come before those of tensors. */
export const JSON_LENGTH = "inference-header-content-length"

const Parameters = Schema.Record(Schema.String, Schema.Unknown)

const Input = Schema.Struct({
  name: Schema.String,
  shape: Schema.Array(Schema.Int),
  datatype: Schema.String,
  parameters: Schema.optionalKey(Parameters),
  data: Schema.optionalKey(Schema.Unknown)
})

const Request = Schema.Struct({
  id: Schema.optionalKey(Schema.String),
  parameters: Schema.optionalKey(Parameters),
  inputs: Schema.Array(Input),
  outputs: Schema.optionalKey(
    Schema.Array(Schema.Struct({ name: Schema.String, parameters: Schema.optionalKey(Parameters) }))
  )
})

export interface WantedOutput {
  readonly name: OutputName
  readonly binary: boolean
  /** So many of the likeliest classes as texts, in place of numbers (Triton's classification extension). */
  readonly classification: number | undefined
}

export interface InferRequest {
  readonly id: string | undefined
  readonly images: Pixels
  readonly outputs: ReadonlyArray<WantedOutput>
}

/** The JSON and the bytes after it. */
const split = Effect.fnUntraced(function* (body: Uint8Array, header: string | undefined) {
  if (header === undefined) return { json: body, tensors: body.subarray(body.length) }
  const length = /^\d{1,15}$/.test(header) ? Number(header) : Number.NaN
  if (!(length <= body.length)) {
    return yield* badRequest(
      `${JSON_LENGTH} is ${JSON.stringify(header)}, but the body has ${body.length} bytes`
    )
  }
  if (length === 0) {
    return yield* badRequest(`${JSON_LENGTH} is 0: a request without JSON does not say what its bytes are`)
  }
  return { json: body.subarray(0, length), tensors: body.subarray(length) }
})

/** The pixels of the one input. */
const pixelsOf = Effect.fnUntraced(function* (
  { data, datatype, name, parameters, shape }: typeof Input.Type,
  tensors: Uint8Array,
  size: Size
): Effect.fn.Return<Pixels, Refusal> {
  if (name !== "images") return yield* badRequest(`there is no input ${JSON.stringify(name)}: it is images`)
  if (datatype !== "UINT8") {
    return yield* badRequest(`images is ${JSON.stringify(datatype)}, but UINT8 is wanted`)
  }
  const count = countOf(shape, size)
  if (count instanceof Refusal) return yield* count
  const bytes = shape.reduce((a, b) => a * b, 1)
  const binary = parameters?.binary_data_size
  if (binary === undefined) {
    if (tensors.length > 0) return yield* badRequest("there are bytes after the JSON that belong to no input")
    if (data === undefined) return yield* badRequest("images has no data")
    const pixels = new Uint8Array(bytes)
    const problem = fill(data, shape, pixels)
    if (problem !== undefined) return yield* problem
    return { count, data: pixels }
  }
  if (data !== undefined) return yield* badRequest("images has both data and binary_data_size")
  if (binary !== bytes || tensors.length !== bytes) {
    return yield* badRequest(
      `images has ${tensors.length} bytes after the JSON, and binary_data_size ${JSON.stringify(binary)}: its shape holds ${bytes}`
    )
  }
  return { count, data: tensors }
})

/** How an output is wanted. */
const wantedOf = Effect.fnUntraced(function* (
  { name, parameters = {} }: { readonly name: string; readonly parameters?: typeof Parameters.Type },
  network: Network,
  binaryUnlessSaid: boolean
): Effect.fn.Return<WantedOutput, Refusal> {
  const known = outputNames(network).find((output) => output === name)
  if (known === undefined) {
    return yield* badRequest(
      `there is no output ${JSON.stringify(name)}: there is ${outputNames(network).join(" and ")}`
    )
  }
  const { binary_data = binaryUnlessSaid, classification } = parameters
  if (typeof binary_data !== "boolean") return yield* badRequest("binary_data is true or false")
  if (classification === undefined || classification === 0) {
    return { name: known, binary: binary_data, classification: undefined }
  }
  if (typeof classification !== "number" || !Number.isInteger(classification) || classification < 0) {
    return yield* badRequest("classification is a number of classes")
  }
  return {
    name: known,
    binary: binary_data,
    classification: Math.min(classification, network.classes.length)
  }
})

/** Reads a request for a network. */
export const readInferRequest = Effect.fnUntraced(function* (
  body: Uint8Array,
  jsonLength: string | undefined,
  network: Network
) {
  const { json, tensors } = yield* split(body, jsonLength)
  const request = yield* decoded(Request, yield* jsonOf(json))
  const [input] = request.inputs
  if (input === undefined || request.inputs.length > 1) {
    return yield* badRequest(`a request has one input, images, not ${request.inputs.length}`)
  }
  const images = yield* pixelsOf(input, tensors, network.size)
  const binary = request.parameters?.binary_data_output ?? false
  if (typeof binary !== "boolean") return yield* badRequest("binary_data_output is true or false")
  const wanted = request.outputs ?? outputNames(network).map((name) => ({ name }))
  if (new Set(wanted.map(({ name }) => name)).size < wanted.length) {
    return yield* badRequest("an output is asked for twice")
  }
  const outputs = yield* Effect.forEach(wanted, (output) => wantedOf(output, network, binary))
  return { id: request.id, images, outputs } satisfies InferRequest
})
