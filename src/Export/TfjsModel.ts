/**
 * A frozen graph in the form that `tf.loadGraphModel` of TensorFlow.js reads: `model.json` with the graph, and the
 * constants' values in shards.
 */
import { type AttributeValue, type Constant, decodeAttribute, type Node } from "../Device/Graph/GraphDef.ts"
import { numbersOf } from "../Device/Graph/Protobuf.ts"
import { DTYPE, TF } from "../Device/Library/DataType.ts"
import type { FrozenGraph, Port } from "../Device.ts"
import { asBytes } from "../Platform/Bytes.ts"
import { VERSION } from "../Platform/Version.ts"

/** Bytes of a shard: what browsers cache as one file. */
const SHARD = 4 * 2 ** 20

export interface TfjsFile {
  readonly name: string
  readonly contents: string | Uint8Array
}

/** TensorFlow's names for element types. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  [TF.FLOAT]: "DT_FLOAT",
  [TF.INT32]: "DT_INT32",
  [TF.UINT8]: "DT_UINT8",
  [TF.INT64]: "DT_INT64",
  [TF.BOOL]: "DT_BOOL"
}

const shapeJson = (shape: ReadonlyArray<number>) => ({ dim: shape.map((size) => ({ size: String(size) })) })

const base64 = (value: Uint8Array): string => Buffer.from(value).toString("base64")

const listJson = (values: ReadonlyArray<AttributeValue>) => {
  const of = (kind: AttributeValue["kind"]) => values.filter((value) => value.kind === kind)
  const [ints, types, strings] = [of("int"), of("type"), of("string")]
  return {
    ...(ints.length > 0 && { i: ints.map(({ value }) => String(value)) }),
    ...(types.length > 0 && { type: types.map(({ value }) => TYPE_NAMES[value as number]) }),
    ...(strings.length > 0 && { s: strings.map(({ value }) => base64(value as Uint8Array)) })
  }
}

const attributeJson = (attribute: AttributeValue): unknown => {
  switch (attribute.kind) {
    case "string":
      return { s: base64(attribute.value) }
    case "int":
      return { i: String(attribute.value) }
    case "float":
      return { f: attribute.value }
    case "bool":
      return { b: attribute.value }
    case "type":
      return { type: TYPE_NAMES[attribute.value] }
    case "shape":
      return { shape: shapeJson(attribute.value) }
    case "tensor": {
      const { dtype, shape } = attribute.value
      return { tensor: { dtype: TYPE_NAMES[dtype], tensorShape: shapeJson(shape) } }
    }
    case "list":
      return { list: listJson(attribute.value) }
  }
}

const decoded = ({ attributes }: Node): ReadonlyArray<readonly [name: string, value: AttributeValue]> =>
  Object.entries(attributes).map(([name, value]) => [name, decodeAttribute(value)])

const constantOf = (node: Node): Constant | undefined => {
  if (node.op !== "Const") return undefined
  const value = decodeAttribute(node.attributes.value)
  return value.kind === "tensor" ? value.value : undefined
}

const portJson = ({ dtype, name, shape }: Port) => ({
  name: `${name}:0`,
  dtype: TYPE_NAMES[DTYPE[dtype]],
  tensorShape: shapeJson(shape)
})

const signatureOf = (ports: ReadonlyArray<Port>) =>
  Object.fromEntries(ports.map((port) => [port.name, portJson(port)]))

/** The files of the model; `metadata` is kept in it as `userDefinedMetadata`. */
export const tfjsModel = (
  { graph, inputs, outputs }: FrozenGraph,
  metadata: Readonly<Record<string, unknown>>
): ReadonlyArray<TfjsFile> => {
  const constants = graph.nodes.flatMap((node) => {
    const constant = constantOf(node)
    return constant === undefined ? [] : [{ name: node.name, constant }]
  })
  const values = Buffer.concat(constants.map(({ constant: { data } }) => asBytes(data)))
  const count = Math.max(1, Math.ceil(values.length / SHARD))
  const shards = Array.from({ length: count }, (_, i) => ({
    name: `group1-shard${i + 1}of${count}.bin`,
    contents: values.subarray(i * SHARD, (i + 1) * SHARD)
  }))
  const [producer] = numbersOf(graph.versions, 1)
  const model = {
    format: "graph-model",
    generatedBy: `shakedrop ${VERSION}`,
    convertedBy: `shakedrop ${VERSION}`,
    signature: { inputs: signatureOf(inputs), outputs: signatureOf(outputs) },
    userDefinedMetadata: metadata,
    modelTopology: {
      node: graph.nodes.map((node) => ({
        name: node.name,
        op: node.op,
        input: node.inputs,
        attr: Object.fromEntries(decoded(node).map(([name, value]) => [name, attributeJson(value)]))
      })),
      library: {},
      versions: { producer: Number(producer ?? 0n) }
    },
    weightsManifest: [
      {
        paths: shards.map(({ name }) => name),
        weights: constants.map(({ constant: { dtype, shape }, name }) => ({
          name,
          shape,
          dtype: dtype === TF.FLOAT ? "float32" : "int32"
        }))
      }
    ]
  }
  return [...shards, { name: "model.json", contents: JSON.stringify(model) }]
}
