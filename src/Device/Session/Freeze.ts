/**
 * A program as a graph of its own, for other programs to run: weights, and what is computed from them alone, are
 * constants, and any number of images can be given to it.
 *
 * A trace has a fixed number of images, and that number stands in constants (what to reshape to, how much to slice).
 * So the program is traced for two numbers of images; where the two graphs differ is the number of images, and there
 * the frozen graph has −1, which TensorFlow takes for "as many as there are".
 */

import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { HostTensor, TensorRecord } from "../../Tensor/HostTensor.ts"
import { type DeviceError, fromStatus, TraceError, tryEngine } from "../Errors.ts"
import { Graph } from "../Graph/Graph.ts"
import {
  type Constant,
  decodeAttribute,
  decodeGraphDef,
  type GraphDef,
  type Node,
  shapeValue,
  tensorValue
} from "../Graph/GraphDef.ts"
import { needed, withConstants } from "../Graph/ReplaceConstants.ts"
import type { GraphTensor } from "../Graph/Types.ts"
import type { CApi } from "../Library/CApi.ts"
import { DTYPE } from "../Library/DataType.ts"
import { bytesIn } from "../Library/Memory.ts"
import type { Tensors } from "../Trace/EntryPoint.ts"
import { castToFloat, type InputSpec, identity, sourcesOf } from "../Trace/EntryPoint.ts"
import { type Keep, keeping } from "../Trace/Prepared.ts"
import { trace } from "../Trace/TfjsBackend.ts"
import { encodeConfig } from "./ConfigProto.ts"
import { Session } from "./Session.ts"

/** A value that goes into or comes out of a frozen graph: a node's first output. */
export interface Port {
  readonly name: string
  readonly dtype: InputSpec["dtype"]
  /** −1 for the number of images. */
  readonly shape: ReadonlyArray<number>
}

export interface FrozenGraph {
  readonly graph: GraphDef
  readonly inputs: ReadonlyArray<Port>
  readonly outputs: ReadonlyArray<Port>
}

export interface Freezable {
  readonly weights: TensorRecord
  /** For a number of images. */
  readonly inputs: (batch: number) => Readonly<Record<string, InputSpec>>
  readonly run: (weights: Tensors, input: Tensors) => Tensors
}

/** A graph as an encoded `GraphDef`. */
const encoded = ({ api, pointer }: Graph): Uint8Array => {
  const status = api.TF_NewStatus()
  const buffer = api.TF_NewBuffer()
  try {
    api.TF_GraphToGraphDef(pointer, buffer, status)
    const code = api.TF_GetCode(status)
    if (code !== 0) throw fromStatus(code, api.TF_Message(status), "write the graph")
    return bytesIn(api, buffer)
  } finally {
    api.TF_DeleteBuffer(buffer)
    api.TF_DeleteStatus(status)
  }
}

/** The first output of an operation is called like the operation. */
const named = (nodes: ReadonlyArray<Node>, names: ReadonlyMap<string, string>): ReadonlyArray<Node> =>
  nodes.map((node) => ({
    ...node,
    name: names.get(node.name) ?? node.name,
    inputs: node.inputs.map((input) => names.get(input) ?? input)
  }))

/** A trace for a number of images. */
interface Traced {
  readonly graph: Graph
  readonly definition: GraphDef
  readonly inputs: ReadonlyArray<Port>
  readonly outputs: ReadonlyArray<Port>
  /** What is computed from the weights alone: the values, and the names of the placeholders that are used for them. */
  readonly constants: ReadonlyArray<{ readonly value: GraphTensor; readonly name: string }>
}

const traceFor = (graph: Graph, { inputs, run, weights }: Freezable, batch: number): Traced => {
  const { api } = graph
  const names = new Map<string, string>()
  const call = ({ output }: GraphTensor, name: string) => names.set(api.TF_OperationName(output.oper), name)
  const constants: Array<{ readonly value: GraphTensor; readonly name: string }> = []
  const specs = Object.entries(inputs(batch))
  const outputs = trace(graph, (context): ReadonlyArray<Port> => {
    const input: Record<string, tf.Tensor> = {}
    for (const [name, { dtype, shape }] of specs) {
      const feed = graph.placeholder(DTYPE[dtype], shape)
      call(feed, name)
      input[name] = context.tensorOf(dtype === "uint8" ? castToFloat(graph, feed) : feed)
    }
    const state = Object.fromEntries(
      Object.entries(weights).map(([name, { data, dtype, shape }]) => [
        name,
        tf.tensor(data, [...shape], dtype === "int32" ? "int32" : "float32")
      ])
    )
    const keep: Keep = (_, value) => {
      const used = graph.placeholder(value.dtype, value.shape)
      const name = `constants/${constants.length}`
      call(used, name)
      constants.push({ value, name })
      return used
    }
    const results = keeping(graph, sourcesOf(context, state, input), keep, () => run(state, input))
    return Object.entries(results).map(([name, tensor]) => {
      call(identity(graph, context.outputOf(tensor)), name)
      return { name, dtype: tensor.dtype === "int32" ? "int32" : "float32", shape: tensor.shape }
    })
  })
  const { nodes, versions } = decodeGraphDef(encoded(graph))
  return {
    graph,
    definition: { nodes: named(nodes, names), versions },
    inputs: specs.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs,
    constants
  }
}

/** −1 where the two differ. */
const common = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): Array<number> =>
  a.map((value, i) => (value === b[i] ? value : -1))

const commonPorts = (a: ReadonlyArray<Port>, b: ReadonlyArray<Port>): ReadonlyArray<Port> =>
  a.map((port, i) => ({ ...port, shape: common(port.shape, b[i].shape) }))

/** An attribute that holds for any number of images; undefined where there is none. */
const commonAttribute = (a: Uint8Array, b: Uint8Array): Uint8Array | undefined => {
  if (Buffer.compare(a, b) === 0) return a
  const [one, other] = [decodeAttribute(a), decodeAttribute(b)]
  if (one.kind === "shape" && other.kind === "shape") return shapeValue(common(one.value, other.value))
  if (one.kind !== "tensor" || other.kind !== "tensor") return undefined
  const { data } = one.value
  const differing = data.filter((value, i) => value !== other.value.data[i]).length
  // Of two unknown sizes TensorFlow could infer neither.
  if (!(data instanceof Int32Array) || data.length !== other.value.data.length || differing > 1)
    return undefined
  return tensorValue({ ...one.value, data: Int32Array.from(common([...data], [...other.value.data])) })
}

const commonNode = (a: Node, b: Node): Node => {
  const attributes = Object.entries(a.attributes).map(([key, value]) => {
    const either = commonAttribute(value, b.attributes[key])
    if (either === undefined || a.op !== b.op) {
      throw new TraceError({
        reason: "UnknownShape",
        op: a.name,
        message: `the operation ${a.op} (${a.name}) depends on the number of images in a way that cannot be exported`
      })
    }
    return [key, either] as const
  })
  return { ...a, attributes: Object.fromEntries(attributes) }
}

const constantOf = ({ data, dtype, shape }: HostTensor): Constant => ({
  dtype: DTYPE[dtype],
  shape,
  data: data as Constant["data"]
})

/** The values that a trace computes from the weights alone, by name. */
const constantsOf = ({ constants, graph }: Traced) =>
  Effect.acquireUseRelease(
    tryEngine(() => Session.open(graph, encodeConfig({ _tag: "Cpu" }))),
    (session) => {
      const fetches = constants.map(({ value }) => value)
      const run = session.run({ doing: "compute constants", feeds: [], fetches, targets: [] }, [])
      return Effect.map(
        run,
        (values) => new Map(constants.map(({ name }, i) => [name, constantOf(values[i])]))
      )
    },
    (session) => Effect.sync(() => session.close())
  )

// Constants that are equal for one number of images need not be so for another.
const newGraph = (api: CApi) =>
  Effect.acquireRelease(
    Effect.sync(() => new Graph(api, { compact: false })),
    (graph) => Effect.sync(() => graph.dispose())
  )

/** Traces a program of weights and inputs into a graph that takes any number of images. */
export const freezeProgram = (api: CApi, program: Freezable): Effect.Effect<FrozenGraph, DeviceError> =>
  Effect.gen(function* () {
    const traceOf = Effect.fnUntraced(function* (batch: number) {
      const graph = yield* newGraph(api)
      return yield* tryEngine(() => traceFor(graph, program, batch))
    })
    const [two, three] = [yield* traceOf(2), yield* traceOf(3)]
    const constants = yield* constantsOf(two)
    return yield* tryEngine(() => {
      const nodes = two.definition.nodes.map((node, i) => commonNode(node, three.definition.nodes[i]))
      const ports = [...two.inputs, ...two.outputs].map(({ name }) => name)
      return {
        graph: { nodes: needed(withConstants(nodes, constants), ports), versions: two.definition.versions },
        inputs: commonPorts(two.inputs, three.inputs),
        outputs: commonPorts(two.outputs, three.outputs)
      }
    })
  }).pipe(Effect.scoped)
