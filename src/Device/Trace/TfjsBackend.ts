/**
 * tfjs on top of a graph under construction. `NodeJSKernelBackend` maps tfjs's kernels onto TensorFlow ops and
 * hands them to a native binding; the binding here has the same interface and records the ops instead of
 * running them.
 */
import type { Tensor } from "@tensorflow/tfjs-core"
import { TraceError } from "../Errors.ts"
import * as Attributes from "../Graph/Attributes.ts"
import type { Graph } from "../Graph/Graph.ts"
import type { Attribute, GraphTensor, Operation } from "../Graph/Types.ts"
import { TF } from "../Library/DataType.ts"
import { type Recorder, type Variable, withRecorder } from "./Recorder.ts"
import { BINDING_TYPES, type LoadedTfjs, loadTfjs, type TensorMetadata, withBackend } from "./Tfjs.ts"

/** An attribute as tfjs-node's kernels write it. */
interface BindingAttribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

const ATTRIBUTE = { STRING: 0, INT: 1, FLOAT: 2, BOOL: 3, TYPE: 4, SHAPE: 5, RESOURCE: 6 }

/** Ops whose inputs tfjs-node passes flat although TensorFlow takes (part of) them as one list. */
const LIST_INPUTS: Readonly<
  Record<string, (ids: ReadonlyArray<GraphTensor>) => ReadonlyArray<GraphTensor | ReadonlyArray<GraphTensor>>>
> = {
  Pack: (inputs) => [inputs],
  ConcatV2: (inputs) => [inputs.slice(0, -1), inputs[inputs.length - 1]],
  Einsum: (inputs) => [inputs]
}

/** The sum from left to right; in TensorFlow's AddN the order depends on when its inputs' memory is free. */
const sumOf = (target: Graph, inputs: ReadonlyArray<GraphTensor>): GraphTensor =>
  inputs.reduce(
    (sum, input) => target.add("AddV2", [sum, input], [Attributes.type("T", input.dtype)]).outputs[0]
  )

const convertAttribute = (op: string, { name, type, value }: BindingAttribute): Attribute => {
  switch (type) {
    case ATTRIBUTE.STRING:
      return Attributes.string(name, value as string)
    case ATTRIBUTE.INT:
      return Array.isArray(value)
        ? Attributes.ints(name, value as Array<number>)
        : Attributes.int(name, value as number)
    case ATTRIBUTE.FLOAT:
      return Attributes.float(name, value as number)
    case ATTRIBUTE.BOOL:
      return Attributes.bool(name, value as boolean)
    case ATTRIBUTE.TYPE:
      return Attributes.type(name, value as number)
    case ATTRIBUTE.SHAPE:
      return Attributes.shape(name, value as Array<number>)
    default:
      throw new TraceError({
        reason: "Unsupported",
        op,
        message: `the op ${op} has an attribute (${name}) that cannot be recorded`
      })
  }
}

const toTyped = (dtype: number, values: ArrayLike<number>): Float32Array | Int32Array | Uint8Array => {
  if (dtype === TF.FLOAT) return values instanceof Float32Array ? values : Float32Array.from(values)
  if (dtype === TF.INT32) return values instanceof Int32Array ? values : Int32Array.from(values)
  if (dtype === TF.BOOL || dtype === TF.UINT8) return Uint8Array.from(values)
  throw new TraceError({
    reason: "Unsupported",
    message: "only float32, int32 and bool constants can be part of a traced program"
  })
}

/**
 * The values of the trace under way, or what adds them to the graph, by the id under which tfjs knows them. Ids are never
 * used twice, so that a tensor that was kept from another program is noticed.
 */
const values = new Map<number, GraphTensor | (() => GraphTensor)>()
let nextId = 1
let graph: Graph | undefined

const currentGraph = (op: string): Graph => {
  if (graph === undefined) {
    throw new TraceError({
      reason: "OtherProgram",
      op,
      message: `the op ${op} was called outside of a program given to Device.compile`
    })
  }
  return graph
}

const register = (value: GraphTensor | (() => GraphTensor)): number => {
  const id = nextId++
  values.set(id, value)
  return id
}

/** tfjs does not know bfloat16: to a program it is float32. */
const seenType = (dtype: number): number => (dtype === TF.BFLOAT16 ? TF.FLOAT : dtype)

const metadataOf = (op: string, value: GraphTensor): TensorMetadata => {
  if (value.shape === undefined) {
    throw new TraceError({
      reason: "UnknownShape",
      op,
      message: `the shape that ${op} gives depends on its input's values, which are not known while a program is traced`
    })
  }
  return { id: register(value), shape: value.shape, dtype: seenType(value.dtype) }
}

const lookUp = (id: number): GraphTensor => {
  const value = values.get(id)
  if (value === undefined) {
    throw new TraceError({
      reason: "OtherProgram",
      message: "a tensor of another program is used here: make every tensor inside the traced function"
    })
  }
  if (typeof value !== "function") return value
  const made = value()
  values.set(id, made)
  return made
}

const binding = {
  ...BINDING_TYPES,
  TF_ATTR_STRING: ATTRIBUTE.STRING,
  TF_ATTR_INT: ATTRIBUTE.INT,
  TF_ATTR_FLOAT: ATTRIBUTE.FLOAT,
  TF_ATTR_BOOL: ATTRIBUTE.BOOL,
  TF_ATTR_TYPE: ATTRIBUTE.TYPE,
  TF_ATTR_SHAPE: ATTRIBUTE.SHAPE,
  TF_ATTR_RESOURCE: ATTRIBUTE.RESOURCE,
  isUsingGpuDevice: () => false,
  getNumOfTensors: () => values.size,
  createTensor: (shape: ReadonlyArray<number>, dtype: number, data: ArrayLike<number>): number =>
    register(currentGraph("Const").constant(dtype, shape, toTyped(dtype, data))),
  deleteTensor: () => {},
  tensorDataSync: (): never => {
    throw new TraceError({
      reason: "ReadsValue",
      message:
        "a traced program reads a tensor's value (dataSync, arraySync, data or print): return it as an output instead"
    })
  },
  executeOp: (
    name: string,
    attributes: ReadonlyArray<BindingAttribute>,
    inputIds: ReadonlyArray<number>
  ): Array<TensorMetadata> => {
    const inputs = inputIds.map(lookUp)
    const target = currentGraph(name)
    if (name === "AddN") return [metadataOf(name, sumOf(target, inputs))]
    return target
      .add(
        name,
        LIST_INPUTS[name]?.(inputs) ?? inputs,
        attributes.map((a) => convertAttribute(name, a))
      )
      .outputs.map((output) => metadataOf(name, output))
  }
}

let loaded: LoadedTfjs | undefined

/** tfjs with the recording backend, which is made once in a process. */
const load = (): LoadedTfjs => {
  loaded ??= loadTfjs(binding)
  return loaded
}

/** What a trace is given besides tfjs itself. */
export interface TraceContext {
  readonly tensorOf: (value: GraphTensor) => Tensor
  readonly outputOf: (tensor: Tensor) => GraphTensor
  /** Introduces a variable, whose value at the start of the entry point is the given tensor. */
  readonly variable: (variable: Variable) => Tensor
  /** The operation after which a variable holds `tensor`, if an op such as `applyMomentum` made it. */
  readonly updateOf: (variable: string, tensor: Tensor) => Operation | undefined
}

/**
 * Runs `f` with every tfjs op recorded into `target`. tfjs's own backend of before is put back after, and every
 * tensor of the trace is released. Errors are thrown as `TraceError`s.
 */
export const trace = <A>(target: Graph, f: (context: TraceContext) => A): A => {
  const tfjs = load()
  const { tf, backend } = tfjs
  const engine = tf.engine()
  const kept: Array<Tensor> = []
  const variables = new Map<number, Variable>()
  const updates = new Map<string, { readonly id: number; readonly update: Operation }>()

  const idOf = (tensor: Tensor): number => backend.getInputTensorIds([tensor])[0]
  const outputOf = (tensor: Tensor): GraphTensor => lookUp(idOf(tensor))
  const tensorOf = (value: GraphTensor): Tensor =>
    backend.createOutputTensor({
      id: register(value),
      shape: value.shape ?? [],
      dtype: seenType(value.dtype)
    })
  const recorder: Recorder = {
    placement: target.placement,
    precision: target.precision,
    record: (type, inputs, attributes) =>
      target.add(type, inputs.map(outputOf), attributes).outputs.map(tensorOf),
    add: (type, inputs, attributes, controls) => target.add(type, inputs, attributes, controls),
    outputOf,
    tensorOf,
    tensorOnceUsed: ({ dtype, shape = [] }, make) =>
      backend.createOutputTensor({ id: register(make), shape, dtype }),
    variableOf: (tensor) => variables.get(idOf(tensor)),
    updated: (variable, tensor, update) => updates.set(variable.name, { id: idOf(tensor), update }),
    keep: (tensor) => {
      kept.push(tensor)
      return tf.keep(tensor)
    }
  }
  const context: TraceContext = {
    tensorOf,
    outputOf,
    variable: (variable) => {
      const tensor = tensorOf(variable.read.outputs[0])
      variables.set(idOf(tensor), variable)
      return tensor
    },
    updateOf: (variable, tensor) => {
      const found = updates.get(variable)
      return found !== undefined && found.id === idOf(tensor) ? found.update : undefined
    }
  }

  return withBackend(tfjs, () => {
    graph = target
    engine.startScope("trace")
    try {
      return withRecorder(recorder, () => f(context))
    } catch (cause) {
      throw asTraceError(cause)
    } finally {
      engine.endScope()
      for (const tensor of kept) tensor.dispose()
      graph = undefined
      values.clear()
    }
  })
}

/** Says in the user's terms what tfjs throws while a program is traced. */
const asTraceError = (cause: unknown): unknown => {
  if (!(cause instanceof Error) || cause instanceof TraceError) return cause
  const noGradient = /gradient function not found for (\w+)/.exec(cause.message)
  if (noGradient !== null) {
    const op = noGradient[1]
    return new TraceError({
      reason: "NoGradient",
      op,
      message: `the op ${op} has no gradient in tfjs: keep it out of what is differentiated, or wrap it in tf.customGrad`
    })
  }
  const noKernel = /Kernel '(\w+)' not registered|registered kernel '(\w+)'/.exec(cause.message)
  if (noKernel !== null) {
    const op = noKernel[1] ?? noKernel[2]
    return new TraceError({
      reason: "NoKernel",
      op,
      message: `the op ${op} has no kernel for the TensorFlow backend`
    })
  }
  return new TraceError({
    reason: "Throws",
    message: `the program cannot be traced: ${cause.message.split("\n")[0]}`
  })
}
