/**
 * An entry point of a program is a pure function `(state, input) => { state?, output }` of tfjs tensors. It is traced
 * once, into the program's graph, around the variables that hold the state.
 */
// tfjs-core's declarations use the global type Long without saying where it comes from.
/// <reference types="long" preserve="true" />
import type * as tf from "@tensorflow/tfjs-core"
import { type DType, describeTensor, type HostTensor, sameShape } from "../../Tensor/HostTensor.ts"
import { TraceError } from "../Errors.ts"
import { casting, shape as shapeOf, type } from "../Graph/Attributes.ts"
import type { Graph } from "../Graph/Graph.ts"
import type { GraphTensor, Insert, Operation, Signature } from "../Graph/Types.ts"
import { newVariable } from "../Graph/Variable.ts"
import { DTYPE, TF } from "../Library/DataType.ts"
import { prepared, type Sources } from "./Prepared.ts"
import type { Variable } from "./Recorder.ts"
import { type TraceContext, trace } from "./TfjsBackend.ts"

/** Type and shape of an input. uint8 inputs reach the program as float32, with the same values. */
export interface InputSpec {
  readonly dtype: DType
  readonly shape: ReadonlyArray<number>
}

/** Tensors of a traced program by name. */
export type Tensors<Name extends string = string> = Readonly<Record<Name, tf.Tensor>>

export interface EntryPoint<Input extends string = string, Output extends string = string> {
  readonly inputs: Readonly<Record<Input, InputSpec>>
  /**
   * Whether what it computes from the state alone is computed only when the state has changed, and kept in the device's
   * memory from then on; unless given, it is computed in each run.
   */
  readonly prepared?: boolean
  /** Whether it meets the same entry point of other replicas, all of which run their entry points in the same order. */
  readonly collective?: boolean
  readonly run: (
    state: Tensors,
    input: Tensors<Input>
  ) => { readonly state?: Tensors; readonly output: Tensors<Output> }
}

/** Keeps the names of inputs and outputs in the type of an entry point. */
export const entryPoint = <Input extends string, Output extends string>(
  entry: EntryPoint<Input, Output>
): EntryPoint<Input, Output> => entry

// The variance of `run` asks for `never` where any names would do.
// biome-ignore lint/suspicious/noExplicitAny: an upper bound only; callers keep their own names
type AnyEntryPoint = EntryPoint<any, any>

export type EntryPoints = Readonly<Record<string, AnyEntryPoint>>

/** A part of the state on the device. Entry points share the operation that reads it. */
export interface StateVariable extends Variable {
  readonly spec: InputSpec
  readonly feed: GraphTensor
  readonly assign: Operation
  readonly value: GraphTensor
  /** Adds an operation that replaces the value once it has been read. */
  readonly replace: (value: GraphTensor) => Operation
}

export const declareVariable = (graph: Graph, name: string, { dtype, shape }: HostTensor): StateVariable => {
  const insert: Insert = (...operation) => graph.add(...operation)
  const variable = newVariable(insert, { name, dtype: DTYPE[dtype], shape })
  const feed = graph.placeholder(DTYPE[dtype], shape)
  const read = variable.read()
  return {
    name,
    spec: { dtype, shape },
    handle: variable.handle,
    feed,
    assign: variable.assign(feed),
    read,
    value: read.outputs[0],
    replace: (value) => variable.assign(value, [read])
  }
}

export interface CompiledEntry {
  readonly inputs: ReadonlyArray<readonly [name: string, spec: InputSpec]>
  readonly outputs: ReadonlyArray<string>
  readonly signature: Signature
  /** What has to run when the state has changed, before `signature` does; it may be nothing. */
  readonly preparation: Signature
}

/** Traces an entry point into the graph of its program. Throws a `TraceError` where it is wrong. */
export const compileEntry = (
  graph: Graph,
  variables: ReadonlyMap<string, StateVariable>,
  name: string,
  entry: EntryPoint
): CompiledEntry => {
  graph.scope = `${name}/`
  return trace(graph, (context) => {
    const feeds: Array<GraphTensor> = []
    const input: Record<string, tf.Tensor> = {}
    for (const [key, { dtype, shape }] of Object.entries(entry.inputs)) {
      const feed = graph.placeholder(DTYPE[dtype], shape)
      feeds.push(feed)
      const value = ofShape(graph, feed, shape)
      input[key] = context.tensorOf(dtype === "uint8" ? castToFloat(graph, value) : value)
    }
    const state: Record<string, tf.Tensor> = {}
    for (const variable of variables.values()) state[variable.name] = context.variable(variable)

    const run = () => entry.run(state, input)
    const { preparation, result } = entry.prepared
      ? prepared(graph, sourcesOf(context, state, input), run)
      : { preparation: [], result: run() }

    const targets: Array<Operation> = []
    for (const [key, tensor] of Object.entries(result.state ?? {})) {
      const variable = variables.get(key)
      if (variable === undefined) {
        throw new TraceError({
          reason: "WrongState",
          message: `the entry point ${name} returns the state ${key}, which was not given as initial state`
        })
      }
      const { dtype, shape } = variable.spec
      if (tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) {
        throw new TraceError({
          reason: "WrongState",
          message: `the entry point ${name} returns ${describeTensor(tensor.dtype, tensor.shape)} for the state ${key}, which is ${describeTensor(dtype, shape)}`
        })
      }
      targets.push(context.updateOf(key, tensor) ?? variable.replace(context.outputOf(tensor)))
    }
    const outputs = Object.keys(result.output)
    const fetches = outputs.map((key) => identity(graph, context.outputOf(result.output[key])))
    return {
      inputs: Object.entries(entry.inputs),
      outputs,
      signature: { doing: `run ${name}`, feeds, fetches, targets, collective: entry.collective ?? false },
      preparation: { doing: `prepare ${name}`, feeds: [], fetches: [], targets: preparation }
    }
  })
}

/** What a trace starts from, as values of the graph. */
export const sourcesOf = ({ outputOf }: TraceContext, state: Tensors, input: Tensors): Sources => ({
  state: Object.values(state).map(outputOf),
  input: Object.values(input).map(outputOf)
})

/** TensorFlow does not fetch what it was fed. */
export const identity = (graph: Graph, value: GraphTensor): GraphTensor =>
  graph.add("Identity", [value], [type("T", value.dtype)]).outputs[0]

/** The optimiser thinks that what is fed may have any shape, and leaves operations apart where shapes must be equal. */
const ofShape = (graph: Graph, value: GraphTensor, shape: ReadonlyArray<number>): GraphTensor =>
  graph.add("EnsureShape", [value], [shapeOf("shape", shape), type("T", value.dtype)]).outputs[0]

export const castToFloat = (graph: Graph, value: GraphTensor): GraphTensor =>
  graph.add("Cast", [value], casting(TF.UINT8, TF.FLOAT)).outputs[0]
