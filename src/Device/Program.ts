/**
 * A compiled program: state that lives on the device, and entry points that read and replace it. Each entry
 * point is a pure function `(state, input) => { state?, output }` of tfjs tensors, traced once; a call is one
 * run of the graph.
 */
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type DType, type HostTensor, sizeOf, type TensorRecord } from "../Tensor.ts"
import type { CApi } from "./CApi.ts"
import { type DeviceError, ExecutionError, TraceError } from "./Errors.ts"
import { Graph, type GraphTensor, type Operation, TF } from "./Graph.ts"
import type { Variable } from "./Recorder.ts"
import { DTYPE, Session, type Signature } from "./Session.ts"
import { trace } from "./TfjsBackend.ts"

/** Type and shape of an input. uint8 inputs reach the program as float32, with the same values. */
export interface InputSpec {
  readonly dtype: DType
  readonly shape: ReadonlyArray<number>
}

type Tensors<Name extends string = string> = Readonly<Record<Name, tf.Tensor>>

export interface EntryPoint<Input extends string = string, Output extends string = string> {
  readonly inputs: Readonly<Record<Input, InputSpec>>
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

type InputNames<E> = E extends EntryPoint<infer Input, string> ? Input : never
type OutputNames<E> = E extends EntryPoint<infer _, infer Output> ? Output : never

export interface Program<Entries extends EntryPoints> {
  /** Runs an entry point off the main thread. Runs of one program follow each other. */
  readonly run: <Name extends keyof Entries & string>(
    name: Name,
    input: Readonly<Record<InputNames<Entries[Name]>, HostTensor>>
  ) => Effect.Effect<Readonly<Record<OutputNames<Entries[Name]>, HostTensor>>, DeviceError>
  /** The state, copied from the device. */
  readonly read: Effect.Effect<TensorRecord, DeviceError>
  /** Replaces some or all of the state. */
  readonly write: (state: TensorRecord) => Effect.Effect<void, DeviceError>
  /** Number of operations in the graph. */
  readonly operations: number
}

interface StateVariable {
  readonly name: string
  readonly spec: InputSpec
  readonly handle: GraphTensor
  readonly feed: GraphTensor
  readonly assign: Operation
  readonly value: GraphTensor
}

const typeAttribute = (dtype: DType) => ({ kind: "type", name: "dtype", value: DTYPE[dtype] }) as const

const declareVariable = (graph: Graph, name: string, { dtype, shape }: HostTensor): StateVariable => {
  const dtypeAttribute = typeAttribute(dtype)
  const handle = graph.add(
    "VarHandleOp",
    [],
    [
      dtypeAttribute,
      { kind: "shape", name: "shape", value: shape },
      { kind: "string", name: "shared_name", value: name }
    ]
  ).outputs[0]
  const feed = graph.placeholder(DTYPE[dtype], shape)
  return {
    name,
    spec: { dtype, shape },
    handle,
    feed,
    assign: graph.add("AssignVariableOp", [handle, feed], [dtypeAttribute]),
    value: graph.add("ReadVariableOp", [handle], [dtypeAttribute]).outputs[0]
  }
}

interface CompiledEntry {
  readonly inputs: ReadonlyArray<readonly [name: string, spec: InputSpec]>
  readonly outputs: ReadonlyArray<string>
  readonly signature: Signature
}

const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

const show = (dtype: string, shape: ReadonlyArray<number>): string => `${dtype}[${shape.join(", ")}]`

const compileEntry = (
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
      input[key] = context.tensorOf(dtype === "uint8" ? castToFloat(graph, feed) : feed)
    }
    const state: Record<string, tf.Tensor> = {}
    const reads = new Map<string, Variable>()
    for (const variable of variables.values()) {
      const read = graph.add("ReadVariableOp", [variable.handle], [typeAttribute(variable.spec.dtype)])
      const seen = { name: variable.name, handle: variable.handle, read }
      reads.set(variable.name, seen)
      state[variable.name] = context.variable(seen)
    }

    const result = entry.run(state, input)

    const targets: Array<Operation> = []
    for (const [key, tensor] of Object.entries(result.state ?? {})) {
      const variable = variables.get(key)
      const read = reads.get(key)
      if (variable === undefined || read === undefined) {
        throw new TraceError({
          message: `the entry point ${name} returns the state ${key}, which was not given as initial state`
        })
      }
      const { dtype, shape } = variable.spec
      if (tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) {
        throw new TraceError({
          message: `the entry point ${name} returns ${show(tensor.dtype, tensor.shape)} for the state ${key}, which is ${show(dtype, shape)}`
        })
      }
      targets.push(
        context.updateOf(key, tensor) ??
          graph.add(
            "AssignVariableOp",
            [variable.handle, context.outputOf(tensor)],
            [typeAttribute(dtype)],
            [read.read]
          )
      )
    }
    const outputs = Object.keys(result.output)
    const fetches = outputs.map((key) => identity(graph, context.outputOf(result.output[key])))
    return {
      inputs: Object.entries(entry.inputs),
      outputs,
      signature: { doing: `run ${name}`, feeds, fetches, targets }
    }
  })
}

/** TensorFlow does not fetch what it was fed. */
export const identity = (graph: Graph, value: GraphTensor): GraphTensor =>
  graph.add("Identity", [value], [{ kind: "type", name: "T", value: value.dtype }]).outputs[0]

export const castToFloat = (graph: Graph, value: GraphTensor): GraphTensor =>
  graph.add(
    "Cast",
    [value],
    [
      { kind: "type", name: "SrcT", value: TF.UINT8 },
      { kind: "type", name: "DstT", value: TF.FLOAT }
    ]
  ).outputs[0]

const mismatch = (
  what: string,
  spec: InputSpec,
  value: HostTensor | undefined
): ExecutionError | undefined => {
  if (value === undefined) return new ExecutionError({ message: `${what} is missing` })
  if (value.dtype !== spec.dtype || !sameShape(value.shape, spec.shape)) {
    return new ExecutionError({
      message: `${what} is ${show(value.dtype, value.shape)}, but the program takes ${show(spec.dtype, spec.shape)}`
    })
  }
  if (value.data.length !== sizeOf(spec.shape)) {
    return new ExecutionError({
      message: `${what} has ${value.data.length} values, but its shape holds ${sizeOf(spec.shape)}`
    })
  }
  return undefined
}

/**
 * Traces every entry point into one graph and opens a session on it; both are released with the scope.
 * `initial` gives the names, types and shapes of the state, and its values.
 */
export const compileProgram = <Entries extends EntryPoints>(
  api: CApi,
  config: Uint8Array,
  initial: TensorRecord,
  entries: Entries
): Effect.Effect<Program<Entries>, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    const graph = yield* Effect.acquireRelease(
      Effect.sync(() => new Graph(api)),
      (graph) => Effect.sync(() => graph.dispose())
    )
    const { compiled, variables } = yield* attempt(() => {
      graph.scope = "state/"
      const variables = new Map<string, StateVariable>()
      for (const [name, value] of Object.entries(initial)) {
        variables.set(name, declareVariable(graph, name, value))
      }
      const compiled = new Map<string, CompiledEntry>()
      for (const [name, entry] of Object.entries(entries)) {
        compiled.set(name, compileEntry(graph, variables, name, entry))
      }
      return { compiled, variables }
    })
    const lock = yield* Semaphore.make(1)
    const session = yield* Effect.acquireRelease(
      attempt(() => Session.open(graph, config)),
      (session) => lock.withPermits(1)(Effect.sync(() => session.close()))
    )

    const all = [...variables.values()]
    const readSignature: Signature = {
      doing: "read the state",
      feeds: [],
      fetches: all.map((variable) => variable.value),
      targets: []
    }

    const run = Effect.fnUntraced(function* (name: string, input: TensorRecord) {
      const entry = compiled.get(name)!
      for (const [key, spec] of entry.inputs) {
        const wrong = mismatch(`the input ${key} of ${name}`, spec, input[key])
        if (wrong !== undefined) return yield* Effect.fail(wrong)
      }
      const values = entry.inputs.map(([key]) => input[key])
      const results = yield* lock.withPermits(1)(session.run(entry.signature, values))
      return toRecord(entry.outputs, results)
    })

    const read = Effect.map(lock.withPermits(1)(session.run(readSignature, [])), (values) =>
      toRecord([...variables.keys()], values)
    )

    const write = Effect.fnUntraced(function* (state: TensorRecord) {
      const chosen: Array<StateVariable> = []
      for (const [name, value] of Object.entries(state)) {
        const variable = variables.get(name)
        if (variable === undefined) {
          return yield* Effect.fail(new ExecutionError({ message: `the program has no state named ${name}` }))
        }
        const wrong = mismatch(`the state ${name}`, variable.spec, value)
        if (wrong !== undefined) return yield* Effect.fail(wrong)
        chosen.push(variable)
      }
      const signature: Signature = {
        doing: "write the state",
        feeds: chosen.map((variable) => variable.feed),
        fetches: [],
        targets: chosen.map((variable) => variable.assign)
      }
      yield* lock.withPermits(1)(
        session.run(
          signature,
          chosen.map((variable) => state[variable.name])
        )
      )
    })

    yield* write(initial)
    return { run: run as Program<Entries>["run"], read, write, operations: graph.size }
  })

const toRecord = (names: ReadonlyArray<string>, values: ReadonlyArray<HostTensor>): TensorRecord =>
  Object.fromEntries(names.map((name, i) => [name, values[i]]))

const isDeviceError = (cause: unknown): cause is DeviceError =>
  cause instanceof TraceError ||
  cause instanceof ExecutionError ||
  (cause as { readonly _tag?: string })._tag === "OutOfMemory"

/** Runs synchronous engine code whose tagged errors are thrown. */
export const attempt = <A>(f: () => A): Effect.Effect<A, DeviceError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(f())
    } catch (cause) {
      return isDeviceError(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  })
