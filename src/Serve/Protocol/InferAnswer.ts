/** An answer of the Open Inference Protocol, as JSON or with binary tensors after it. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Network } from "../Model/Network.ts"
import { type InferRequest, JSON_LENGTH, type WantedOutput } from "./InferRequest.ts"
import { outputOf } from "./Outputs.ts"

interface Tensor {
  readonly datatype: "FP32" | "BYTES"
  readonly shape: ReadonlyArray<number>
  readonly data: ReadonlyArray<number | string>
  readonly bytes: () => Uint8Array
}

/** Little-endian, as the protocol has it, which is every machine's order that TensorFlow is built for. */
const numbers = (values: Float32Array, shape: ReadonlyArray<number>): Tensor => ({
  datatype: "FP32",
  shape,
  data: Array.from(values),
  bytes: () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
})

/** Each text with its length before it, four bytes. */
const texts = (values: ReadonlyArray<string>, shape: ReadonlyArray<number>): Tensor => ({
  datatype: "BYTES",
  shape,
  data: values,
  bytes: () =>
    Buffer.concat(
      values.flatMap((value) => {
        const text = Buffer.from(value)
        const length = Buffer.alloc(4)
        length.writeUInt32LE(text.length)
        return [length, text]
      })
    )
})

const tensorOf = (
  { classification, name }: WantedOutput,
  network: Network,
  rows: Float32Array,
  images: number
): Tensor => {
  const { classes } = network
  const values = outputOf(network, name, rows)
  if (classification === undefined) return numbers(values, [images, classes.length])
  const lines = Array.from({ length: images }, (_, image) => {
    const row = values.subarray(image * classes.length, (image + 1) * classes.length)
    const order = Array.from(row.keys()).sort((a, b) => row[b] - row[a])
    return order.slice(0, classification).map((k) => `${row[k]}:${k}:${classes[k]}`)
  })
  return texts(lines.flat(), [images, classification])
}

/** The answer to a request, from rows [images,classes]. */
export const inferAnswer = (
  { id, images, outputs }: InferRequest,
  { name, version }: { readonly name: string; readonly version: string },
  network: Network,
  rows: Float32Array
): HttpServerResponse.HttpServerResponse => {
  const after: Array<Uint8Array> = []
  const told = outputs.map((output) => {
    const { bytes, data, datatype, shape } = tensorOf(output, network, rows, images.count)
    if (!output.binary) return { name: output.name, datatype, shape, data }
    const binary = bytes()
    after.push(binary)
    return { name: output.name, datatype, shape, parameters: { binary_data_size: binary.length } }
  })
  const answer = {
    model_name: name,
    model_version: version,
    ...(id === undefined ? {} : { id }),
    outputs: told
  }
  if (after.length === 0) return HttpServerResponse.jsonUnsafe(answer)
  const json = Buffer.from(JSON.stringify(answer))
  return HttpServerResponse.uint8Array(Buffer.concat([json, ...after]), {
    contentType: "application/octet-stream",
    headers: { [JSON_LENGTH]: String(json.length) }
  })
}
