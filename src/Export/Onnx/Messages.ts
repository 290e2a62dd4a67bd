/**
 * ONNX's messages. The numbers are those of the fields in onnx/onnx.proto:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { bytes, float, number } from "../../Device/Graph/Protobuf.ts"
import { asBytes } from "../../Platform/Bytes.ts"

/** Element types (`TensorProto.DataType`). */
export const ONNX = { FLOAT: 1, UINT8: 2, INT32: 6, INT64: 7, FLOAT16: 10 } as const

/** The set of operations whose definitions are meant. */
export const OPSET = 18
/** The form of the messages that came with that set. */
const IR_VERSION = 8

/** A number is an integer; one with a point stands in `float`. */
export type Attribute = number | string | ReadonlyArray<number> | { readonly float: number }
export type Attributes = Readonly<Record<string, Attribute>>

/** Kinds of values (`AttributeProto.AttributeType`). */
const KIND = { float: 1, int: 2, string: 3, ints: 7 } as const

const encoded = (value: Attribute): ReadonlyArray<Uint8Array> => {
  if (typeof value === "number") return [number(3, value), number(20, KIND.int)]
  if (typeof value === "string") return [bytes(4, value), number(20, KIND.string)]
  if ("float" in value) return [float(2, value.float), number(20, KIND.float)]
  return [...value.map((one) => number(8, one)), number(20, KIND.ints)]
}

export interface OnnxNode {
  readonly name: string
  readonly op: string
  readonly inputs: ReadonlyArray<string>
  readonly output: string
  readonly attributes: Attributes
}

const node = ({ attributes, inputs, name, op, output }: OnnxNode): Uint8Array =>
  bytes(1, [
    ...inputs.map((input) => bytes(1, input)),
    bytes(2, output),
    bytes(3, name),
    bytes(4, op),
    ...Object.entries(attributes).map(([key, value]) => bytes(5, [bytes(1, key), ...encoded(value)]))
  ])

export interface Initializer {
  readonly name: string
  readonly dtype: number
  readonly shape: ReadonlyArray<number>
  readonly data: ArrayBufferView
}

const initializer = ({ data, dtype, name, shape }: Initializer): Uint8Array =>
  bytes(5, [
    ...shape.map((size) => number(1, size)),
    number(2, dtype),
    bytes(8, name),
    bytes(9, asBytes(data))
  ])

/** What goes into or comes out of the graph. */
export interface OnnxPort {
  readonly name: string
  readonly dtype: number
  /** −1 for the number of images. */
  readonly shape: ReadonlyArray<number>
}

const port = (field: number, { dtype, name, shape }: OnnxPort): Uint8Array => {
  const sides = shape.map((size) => bytes(1, [size < 0 ? bytes(2, "N") : number(1, size)]))
  return bytes(field, [bytes(1, name), bytes(2, [bytes(1, [number(1, dtype), bytes(2, sides)])])])
}

export interface OnnxGraph {
  readonly name: string
  readonly nodes: ReadonlyArray<OnnxNode>
  readonly initializers: ReadonlyArray<Initializer>
  readonly inputs: ReadonlyArray<OnnxPort>
  readonly outputs: ReadonlyArray<OnnxPort>
}

export interface Producer {
  readonly name: string
  readonly version: string
}

/** A whole model (`ModelProto`), with texts that users of it can read. */
export const onnxMessage = (
  graph: OnnxGraph,
  producer: Producer,
  metadata: Readonly<Record<string, string>>
): Uint8Array =>
  Buffer.concat([
    number(1, IR_VERSION),
    bytes(2, producer.name),
    bytes(3, producer.version),
    bytes(7, [
      ...graph.nodes.map(node),
      bytes(2, graph.name),
      ...graph.initializers.map(initializer),
      ...graph.inputs.map((one) => port(11, one)),
      ...graph.outputs.map((one) => port(12, one))
    ]),
    bytes(8, [bytes(1, ""), number(2, OPSET)]),
    ...Object.entries(metadata).map(([key, value]) => bytes(14, [bytes(1, key), bytes(2, value)]))
  ])
