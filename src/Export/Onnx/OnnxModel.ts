/** A frozen graph as an ONNX model, for onnxruntime and everything else that reads ONNX. */
import { decodeAttribute, type Node } from "../../Device/Graph/GraphDef.ts"
import type { FrozenGraph, Port } from "../../Device.ts"
import { VERSION } from "../../Platform/Version.ts"
import type { DType } from "../../Tensor/HostTensor.ts"
import { arithmetic } from "./Arithmetic.ts"
import { Builder, type Operand } from "./Builder.ts"
import { ONNX, type OnnxPort, onnxMessage } from "./Messages.ts"
import { refused, type Translation } from "./Operation.ts"
import { shaping } from "./Shaping.ts"
import { spatialOperations } from "./Spatial.ts"

const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  ...arithmetic,
  ...shaping,
  ...spatialOperations
}

const ELEMENT: Readonly<Record<DType, number>> = { float32: ONNX.FLOAT, int32: ONNX.INT32, uint8: ONNX.UINT8 }

const portOf = ({ dtype, name, shape }: Port): OnnxPort => ({ name, shape, dtype: ELEMENT[dtype] })

const constantOf = ({ attributes, name }: Node): Operand => {
  const value = decodeAttribute(attributes.value)
  if (value.kind !== "tensor") throw refused({ name, op: "Const" }, "it is no tensor")
  return { kind: "constant", name, constant: value.value }
}

/**
 * The contents of a `.onnx` file; `metadata` is kept in it as `metadata_props`. Inputs and outputs are those of the
 * graph.
 *
 * @throws ExportError where the graph has an operation that is not known here
 */
export const onnxModel = (
  { graph, inputs, outputs }: FrozenGraph,
  name: string,
  metadata: Readonly<Record<string, string>>
): Uint8Array => {
  const to = new Builder()
  const known = new Map<string, Operand>(
    inputs.map(({ name, shape }) => [name, { kind: "value", name, rank: shape.length, first: false }])
  )
  for (const node of graph.nodes) {
    if (known.has(node.name)) continue
    if (node.op === "Const") {
      known.set(node.name, constantOf(node))
      continue
    }
    const translate = Object.hasOwn(TRANSLATIONS, node.op) ? TRANSLATIONS[node.op] : undefined
    if (translate === undefined) throw refused(node, "no counterpart of it is known")
    const operands = node.inputs.map((input) => known.get(input.replace(/:0$/, "")))
    if (!operands.every((operand) => operand !== undefined))
      throw refused(node, "it takes what comes after it")
    const results = translate({ ...node, inputs: operands }, to)
    for (const [i, result] of results.entries()) known.set(i === 0 ? node.name : `${node.name}:${i}`, result)
  }
  const written = {
    name,
    nodes: to.nodes,
    initializers: [...to.initializers.values()],
    inputs: inputs.map(portOf),
    outputs: outputs.map(portOf)
  }
  return onnxMessage(written, { name: "shakedrop", version: VERSION }, metadata)
}
