/**
 * A compiled program: state that lives on the device, and entry points that read and replace it. A call of one is
 * one run of the graph.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import {
  describeTensor,
  type HostTensor,
  sameShape,
  sizeOf,
  type TensorRecord
} from "../../Tensor/HostTensor.ts"
import type { Cluster } from "../Cluster/Server.ts"
import { type DeviceError, ExecutionError, tryEngine } from "../Errors.ts"
import { Graph } from "../Graph/Graph.ts"
import type { Placement, Precision, Signature } from "../Graph/Types.ts"
import type { CApi } from "../Library/CApi.ts"
import { collectGarbageSoon } from "../Library/Garbage.ts"
import {
  type CompiledEntry,
  compileEntry,
  declareVariable,
  type EntryPoint,
  type EntryPoints,
  type InputSpec,
  type StateVariable
} from "../Trace/EntryPoint.ts"
import { type Arithmetic, encodeConfig } from "./ConfigProto.ts"
import { Session } from "./Session.ts"
import type { OpEvent } from "./StepStats.ts"

type InputNames<E> = E extends EntryPoint<infer Input, string> ? Input : never
type OutputNames<E> = E extends EntryPoint<infer _, infer Output> ? Output : never

export interface Program<Entries extends EntryPoints> {
  /** Runs an entry point off the main thread. Runs of one program follow each other. */
  readonly run: <Name extends keyof Entries & string>(
    name: Name,
    input: Readonly<Record<InputNames<Entries[Name]>, HostTensor>>
  ) => Effect.Effect<Readonly<Record<OutputNames<Entries[Name]>, HostTensor>>, DeviceError>
  /** Runs an entry point once, as `run` does, and gives the operations that ran, with their times. */
  readonly profile: <Name extends keyof Entries & string>(
    name: Name,
    input: Readonly<Record<InputNames<Entries[Name]>, HostTensor>>
  ) => Effect.Effect<ReadonlyArray<OpEvent>, DeviceError>
  /** The state, copied from the device. */
  readonly read: Effect.Effect<TensorRecord, DeviceError>
  /** Replaces some or all of the state. */
  readonly write: (state: TensorRecord) => Effect.Effect<void, DeviceError>
  /** Number of operations in the graph. */
  readonly operations: number
  /** Ends what is running, which fails, as does everything after it: for a run whose partners are gone. */
  readonly abort: Effect.Effect<void>
}

const mismatch = (
  what: string,
  spec: InputSpec,
  value: HostTensor | undefined
): ExecutionError | undefined => {
  if (value === undefined) return new ExecutionError({ reason: "WrongInput", message: `${what} is missing` })
  if (value.dtype !== spec.dtype || !sameShape(value.shape, spec.shape)) {
    return new ExecutionError({
      reason: "WrongInput",
      message: `${what} is ${describeTensor(value.dtype, value.shape)}, but the program takes ${describeTensor(spec.dtype, spec.shape)}`
    })
  }
  if (value.data.length !== sizeOf(spec.shape)) {
    return new ExecutionError({
      reason: "WrongInput",
      message: `${what} has ${value.data.length} values, but its shape holds ${sizeOf(spec.shape)}`
    })
  }
  return undefined
}

interface Traced {
  readonly compiled: ReadonlyMap<string, CompiledEntry>
  readonly variables: ReadonlyMap<string, StateVariable>
}

const traceAll = (graph: Graph, initial: TensorRecord, entries: EntryPoints): Traced => {
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
}

const newGraph = (api: CApi, placement: Placement, precision: Precision) =>
  Effect.acquireRelease(
    Effect.sync(() => new Graph(api, { placement: placement._tag, precision })),
    (graph) => Effect.sync(() => graph.dispose())
  )

const openSession = (graph: Graph, device: Uint8Array, lock: Semaphore.Semaphore, cluster?: Cluster) =>
  Effect.acquireRelease(
    tryEngine(() =>
      cluster === undefined
        ? Session.open(graph, device)
        : Session.open(graph, Buffer.concat([device, cluster.config]), cluster.setTarget)
    ),
    (session) => lock.withPermits(1)(Effect.sync(() => session.close()))
  )

const programOf = <Entries extends EntryPoints>(
  api: CApi,
  session: Session,
  lock: Semaphore.Semaphore,
  { compiled, variables }: Traced,
  operations: number
): Program<Entries> => {
  const fresh = new Set(compiled.keys())
  const unprepared = new Set<CompiledEntry>()
  const all = [...variables.values()]
  const readSignature: Signature = {
    doing: "read the state",
    feeds: [],
    fetches: all.map((variable) => variable.value),
    targets: []
  }

  const checked = Effect.fnUntraced(function* (name: string, input: TensorRecord) {
    const entry = compiled.get(name)
    if (entry === undefined) {
      return yield* Effect.fail(
        new ExecutionError({ reason: "WrongInput", message: `the program has no entry point named ${name}` })
      )
    }
    for (const [key, spec] of entry.inputs) {
      const wrong = mismatch(`the input ${key} of ${name}`, spec, input[key])
      if (wrong !== undefined) return yield* Effect.fail(wrong)
    }
    const values = entry.inputs.map(([key]) => input[key])
    // TensorFlow optimises the graph in an entry point's first run, which takes long enough.
    if (fresh.delete(name)) collectGarbageSoon(api)
    return { entry, values }
  })

  /** Also where a run of it fails. */
  const stateChanges = Effect.sync(() => {
    for (const entry of compiled.values()) unprepared.add(entry)
  })

  /** Calls an entry point by `call`, with what it computes from the state alone being of the state as it is. */
  const calling = Effect.fnUntraced(function* <A, E>(entry: CompiledEntry, call: Effect.Effect<A, E>) {
    if (unprepared.has(entry)) {
      yield* session.run(entry.preparation, [])
      unprepared.delete(entry)
    }
    if (entry.signature.targets.length > 0) yield* stateChanges
    return yield* call
  }, lock.withPermits(1))

  const run = Effect.fnUntraced(function* (name: string, input: TensorRecord) {
    const { entry, values } = yield* checked(name, input)
    return toRecord(entry.outputs, yield* calling(entry, session.run(entry.signature, values)))
  })

  const profile = Effect.fnUntraced(function* (name: string, input: TensorRecord) {
    const { entry, values } = yield* checked(name, input)
    return yield* calling(entry, session.profile(entry.signature, values))
  })

  const read = Effect.map(lock.withPermits(1)(session.run(readSignature, [])), (values) =>
    toRecord([...variables.keys()], values)
  )

  const write = Effect.fnUntraced(function* (state: TensorRecord) {
    const chosen: Array<StateVariable> = []
    for (const [name, value] of Object.entries(state)) {
      const variable = variables.get(name)
      if (variable === undefined) {
        return yield* Effect.fail(
          new ExecutionError({ reason: "WrongInput", message: `the program has no state named ${name}` })
        )
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
    const values = chosen.map((variable) => state[variable.name])
    yield* lock.withPermits(1)(Effect.andThen(stateChanges, session.run(signature, values)))
  })

  const abort = Effect.sync(() => session.abort())
  return { run: run as Program<Entries>["run"], profile, read, write, operations, abort }
}

/**
 * Traces every entry point into one graph and opens a session on it; both are released with the scope.
 * `initial` gives the names, types and shapes of the state, and its values. What lives as long as the program is made
 * by functions of their own: a closure made here would keep `initial`, as large as all weights, for as long.
 */
export const compileProgram = <Entries extends EntryPoints>(
  api: CApi,
  placement: Placement,
  arithmetic: Arithmetic,
  initial: TensorRecord,
  entries: Entries,
  cluster?: Cluster
): Effect.Effect<Program<Entries>, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    const graph = yield* newGraph(api, placement, arithmetic.precision)
    const traced = yield* tryEngine(() => traceAll(graph, initial, entries))
    const lock = yield* Semaphore.make(1)
    const session = yield* openSession(graph, encodeConfig(placement, arithmetic), lock, cluster)
    const program = programOf<Entries>(api, session, lock, traced, graph.size)
    yield* program.write(initial)
    return program
  })

const toRecord = (names: ReadonlyArray<string>, values: ReadonlyArray<HostTensor>): TensorRecord =>
  Object.fromEntries(names.map((name, i) => [name, values[i]]))
