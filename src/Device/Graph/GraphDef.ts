/**
 * TensorFlow's `GraphDef`: the nodes of a graph in a form that can be looked at and changed. The numbers are those of
 * the fields in tensorflow/core/framework: graph.proto, node_def.proto, attr_value.proto, tensor.proto.
 */
import { asBytes } from "../../Platform/Bytes.ts"
import { sizeOf } from "../../Tensor/HostTensor.ts"
import { TF } from "../Library/DataType.ts"
import { bytes, bytesOf, type Field, fields, number, numbersOf, textOf } from "./Protobuf.ts"

export interface Node {
  readonly name: string
  readonly op: string
  /** `NAME`, `NAME:OUTPUT`, or `^NAME` for an operation that only has to run before. */
  readonly inputs: ReadonlyArray<string>
  /** Encoded values (`AttrValue`) by name. */
  readonly attributes: Readonly<Record<string, Uint8Array>>
}

export interface GraphDef {
  readonly nodes: ReadonlyArray<Node>
  /** Encoded `VersionDef`. */
  readonly versions: Uint8Array
}

const last = (values: ReadonlyArray<Uint8Array>): Uint8Array => values[values.length - 1] ?? new Uint8Array()

const decodeNode = (message: Uint8Array): Node => ({
  name: textOf(last(bytesOf(message, 1))),
  op: textOf(last(bytesOf(message, 2))),
  inputs: bytesOf(message, 3).map(textOf),
  attributes: Object.fromEntries(
    bytesOf(message, 5).map((entry) => [textOf(last(bytesOf(entry, 1))), last(bytesOf(entry, 2))])
  )
})

export const decodeGraphDef = (message: Uint8Array): GraphDef => ({
  nodes: bytesOf(message, 1).map(decodeNode),
  versions: last(bytesOf(message, 4))
})

const encodeNode = ({ attributes, inputs, name, op }: Node): Uint8Array =>
  bytes(1, [
    bytes(1, name),
    bytes(2, op),
    ...inputs.map((input) => bytes(3, input)),
    ...Object.entries(attributes).map(([key, value]) => bytes(5, [bytes(1, key), bytes(2, value)]))
  ])

/** The message's parts, which need not be joined in memory. */
export const encodeGraphDef = ({ nodes, versions }: GraphDef): ReadonlyArray<Uint8Array> => [
  ...nodes.map(encodeNode),
  bytes(4, versions)
]

/** Encodes a `TensorShapeProto`; −1 is a size that is not known. */
export const encodeShape = (shape: ReadonlyArray<number>): ReadonlyArray<Uint8Array> =>
  shape.map((size) => bytes(2, number(1, size)))

const decodeShape = (message: Uint8Array): ReadonlyArray<number> =>
  bytesOf(message, 2).map((dim) => Number(BigInt.asIntN(64, numbersOf(dim, 1)[0] ?? 0n)))

/** An attribute that is a shape. */
export const shapeValue = (shape: ReadonlyArray<number>): Uint8Array => bytes(7, encodeShape(shape))

/** A constant's element type, shape and values, in row-major order. */
export interface Constant {
  readonly dtype: number
  readonly shape: ReadonlyArray<number>
  readonly data: Float32Array | Int32Array
}

/** An attribute that is a tensor. */
export const tensorValue = ({ data, dtype, shape }: Constant): Uint8Array =>
  bytes(8, [number(1, dtype), bytes(2, encodeShape(shape)), bytes(4, asBytes(data))])

/** Values that a `TensorProto` lists one by one; the last is meant for all that follow it. */
const listed = (message: Uint8Array, dtype: number): ArrayLike<number> => {
  if (dtype === TF.INT32) return numbersOf(message, 7).map((value) => Number(BigInt.asIntN(32, value)))
  const packed = Buffer.concat(bytesOf(message, 5))
  return new Float32Array(new Uint8Array(packed).buffer)
}

/** Decodes a `TensorProto` of float32 or int32. Throws for any other type. */
const decodeTensor = (message: Uint8Array): Constant => {
  const dtype = Number(numbersOf(message, 1)[0] ?? 0n)
  if (dtype !== TF.FLOAT && dtype !== TF.INT32) throw new Error(`a constant has the element type ${dtype}`)
  const shape = decodeShape(last(bytesOf(message, 2)))
  const Values = dtype === TF.FLOAT ? Float32Array : Int32Array
  const [content] = bytesOf(message, 4)
  if (content !== undefined) return { dtype, shape, data: new Values(new Uint8Array(content).buffer) }
  const values = listed(message, dtype)
  const data = new Values(sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = values[Math.min(i, values.length - 1)] ?? 0
  return { dtype, shape, data }
}

/** An attribute's value, by the field that it is in. */
export type AttributeValue =
  | { readonly kind: "string"; readonly value: Uint8Array }
  | { readonly kind: "int" | "type"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "shape"; readonly value: ReadonlyArray<number> }
  | { readonly kind: "tensor"; readonly value: Constant }
  | { readonly kind: "list"; readonly value: ReadonlyArray<AttributeValue> }

const floatOf = (value: Uint8Array): number => Buffer.from(value).readFloatLE(0)

const signed = (value: Field["value"]): number => Number(BigInt.asIntN(64, value as bigint))

/** A list's numbers come packed. */
const decodeList = (message: Uint8Array): ReadonlyArray<AttributeValue> =>
  fields(message).flatMap(({ number, value }): ReadonlyArray<AttributeValue> => {
    if (number === 2) return [{ kind: "string", value: value as Uint8Array }]
    if (number === 3 || number === 6) {
      const values = typeof value === "bigint" ? [value] : numbersOf(bytes(1, value), 1)
      return values.map((one) => ({ kind: number === 3 ? "int" : "type", value: signed(one) }))
    }
    throw new Error(`an attribute has a list of the kind ${number}`)
  })

export const decodeAttribute = (message: Uint8Array): AttributeValue => {
  const [field] = fields(message)
  if (field === undefined) return { kind: "list", value: [] }
  const { number, value } = field
  switch (number) {
    case 1:
      return { kind: "list", value: decodeList(value as Uint8Array) }
    case 2:
      return { kind: "string", value: value as Uint8Array }
    case 3:
      return { kind: "int", value: signed(value) }
    case 4:
      return { kind: "float", value: floatOf(value as Uint8Array) }
    case 5:
      return { kind: "bool", value: value !== 0n }
    case 6:
      return { kind: "type", value: signed(value) }
    case 7:
      return { kind: "shape", value: decodeShape(value as Uint8Array) }
    case 8:
      return { kind: "tensor", value: decodeTensor(value as Uint8Array) }
    default:
      throw new Error(`an attribute has a value of the kind ${number}`)
  }
}
