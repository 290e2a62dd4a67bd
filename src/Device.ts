/**
 * The device as a service: the only door to TensorFlow. Programs are given to `compile` and run on a CPU
 * through oneDNN or on an NVIDIA GPU through CUDA.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type Cluster, type ClusterSpec, startServer } from "./Device/Cluster/Server.ts"
import { type DeviceError, DeviceUnavailable, LibraryError, tryEngine } from "./Device/Errors.ts"
import { Graph } from "./Device/Graph/Graph.ts"
import type { Placement, Precision } from "./Device/Graph/Types.ts"
import type { CApi } from "./Device/Library/CApi.ts"
import { loadLibrary, loadLogging } from "./Device/Load.ts"
import { type Arithmetic, type DeviceName, encodeConfig } from "./Device/Session/ConfigProto.ts"
import { type Freezable, type FrozenGraph, freezeProgram } from "./Device/Session/Freeze.ts"
import { compileProgram, type Program } from "./Device/Session/Program.ts"
import { type SeenDevice, Session } from "./Device/Session/Session.ts"
import { cpu, hasNvidiaCard } from "./Device/Setup/Diagnosis.ts"
import { locateLibrary } from "./Device/Setup.ts"
import type { EntryPoints } from "./Device/Trace/EntryPoint.ts"
import type { TensorRecord } from "./Tensor/HostTensor.ts"

export type { ClusterSpec } from "./Device/Cluster/Server.ts"
export {
  ClusterError,
  type DeviceError,
  DeviceUnavailable,
  ExecutionError,
  LibraryError,
  OutOfMemory,
  TraceError
} from "./Device/Errors.ts"
export type { Precision } from "./Device/Graph/Types.ts"
export { type Arithmetic, DeviceName } from "./Device/Session/ConfigProto.ts"
export type { Freezable, FrozenGraph, Port } from "./Device/Session/Freeze.ts"
export type { Program } from "./Device/Session/Program.ts"
export type { SeenDevice } from "./Device/Session/Session.ts"
export type { OpEvent } from "./Device/Session/StepStats.ts"
/** The version of libtensorflow whose behaviour is tested. */
export { VERSION as TENSORFLOW_VERSION } from "./Device/Setup/Wheels.ts"
export { type EntryPoint, type EntryPoints, entryPoint, type InputSpec } from "./Device/Trace/EntryPoint.ts"

export class Device extends Context.Service<
  Device,
  {
    /** `cpu`, or `gpu:N`. */
    readonly name: string
    readonly tensorflow: string
    /**
     * Traces entry points into one graph around a state and opens a session on it, until the scope closes.
     * `initial` gives names, types, shapes and values of the state. Fails where the device does not have the
     * precision that is asked for.
     */
    readonly compile: <Entries extends EntryPoints>(
      initial: TensorRecord,
      entries: Entries,
      arithmetic?: Arithmetic
    ) => Effect.Effect<Program<Entries>, DeviceError, Scope.Scope>
    /** Traces a program of weights and inputs into a graph that takes any number of images, for other programs to run. */
    readonly freeze: (program: Freezable) => Effect.Effect<FrozenGraph, DeviceError>
  }
>()("shakedrop/Device") {
  /**
   * Loads libtensorflow and chooses the device; fails when it is not there, and never takes another.
   *
   * What it changes of the process, which Node cannot undo for a library that stays loaded: in the C library's
   * environment (not in `process.env`) TF_ENABLE_ONEDNN_OPTS and TF_CPP_MIN_LOG_LEVEL are set where they are not;
   * glibc's malloc shares one arena among threads, unless MALLOC_ARENA_MAX says otherwise; and libtensorflow is never
   * unloaded. While it loads, stderr leads to nowhere, and then where it led before, unless TF_CPP_MIN_LOG_LEVEL is set.
   * When an entry point is first run, garbage is collected through V8's inspector. tfjs's backend and registries are
   * the host's again after each trace; kernels and gradients stay registered, for a backend of a name of their own.
   */
  static readonly layer = (name: DeviceName = "auto"): Layer.Layer<Device, DeviceError> =>
    Layer.effect(
      Device,
      Effect.gen(function* () {
        const api = yield* loadLibrary
        return deviceOn(api, yield* place(api, name))
      })
    )

  /**
   * As `layer`, and joined to other replicas: `join` is told what was found here, and gives who they are. Programs may
   * have collective entry points then. Of the GPUs of a machine, unless one is named, each replica takes that of its
   * number there.
   */
  static readonly joined = <E, R>(
    { localIndex, name }: { readonly name: DeviceName; readonly localIndex: number },
    join: (found: FoundDevice) => Effect.Effect<ClusterSpec, E, R>
  ): Layer.Layer<Device, DeviceError | E, R> =>
    Layer.effect(
      Device,
      Effect.gen(function* () {
        // A lost partner would be told many times over.
        const api = yield* loadLogging("nothing")
        const placement = yield* place(api, name, localIndex)
        const alone = deviceOn(api, placement)
        const spec = yield* join({ name: alone.name, tensorflow: alone.tensorflow })
        const { file } = yield* locateLibrary
        const cluster = yield* tryEngine(() => startServer(api, file, spec, encodeConfig(placement)))
        return deviceOn(api, placement, cluster)
      })
    )

  /**
   * A device for tests, without libtensorflow: what it does is given. What is not given is a defect that names it, which
   * shows that a program does not come that far.
   */
  static readonly layerTest = (given: Partial<Device["Service"]> = {}): Layer.Layer<Device> => {
    const not = (what: string) => () =>
      Effect.die(new Error(`the test's device was asked to ${what}, and Device.layerTest was not given how`))
    return Layer.succeed(Device, {
      ...{ name: "test", tensorflow: "none", compile: not("compile"), freeze: not("freeze") },
      ...given
    })
  }
}

/** A device by what a run's environment says of it. */
export type FoundDevice = Pick<Device["Service"], "name" | "tensorflow">

const deviceOn = (api: CApi, placement: Placement, cluster?: Cluster): Device["Service"] => ({
  name: placement._tag === "Cpu" ? "cpu" : `gpu:${placement.index}`,
  tensorflow: api.TF_Version(),
  compile: (initial, entries, arithmetic = { precision: "float32" }) =>
    Effect.andThen(
      checkPrecision(placement, arithmetic.precision),
      compileProgram(api, placement, arithmetic, initial, entries, cluster)
    ),
  freeze: (program) => freezeProgram(api, program)
})

/** Where the libtensorflow is that devices are of, and its version. */
export const foundLibrary: Effect.Effect<{ readonly file: string; readonly version: string }, LibraryError> =
  Effect.gen(function* () {
    const api = yield* loadLibrary
    return { file: (yield* locateLibrary).file, version: api.TF_Version() }
  })

/** The devices that TensorFlow itself finds, among them every GPU that it can use. */
export const listDevices: Effect.Effect<ReadonlyArray<SeenDevice>, LibraryError> = Effect.suspend(() =>
  Effect.flatMap(loadLibrary, (api) => seenDevices(api))
)

const seenDevices = (
  api: CApi,
  placement: Placement = { _tag: "Gpu", index: 0 }
): Effect.Effect<ReadonlyArray<SeenDevice>, LibraryError> =>
  Effect.try({
    try: () => {
      const graph = new Graph(api)
      try {
        const session = Session.open(graph, encodeConfig(placement))
        try {
          return session.devices()
        } finally {
          session.close()
        }
      } finally {
        graph.dispose()
      }
    },
    catch: (cause) =>
      new LibraryError({
        reason: "NoDeviceList",
        message: `TensorFlow cannot list its devices: ${String(cause)}`,
        cause
      })
  })

const place = (
  api: CApi,
  name: DeviceName,
  first = 0
): Effect.Effect<Placement, LibraryError | DeviceUnavailable> =>
  Effect.gen(function* () {
    // Without a card TensorFlow's GPU build would look for one, and tell the terminal that it found none.
    if (name === "cpu" || (name === "auto" && !hasNvidiaCard())) return { _tag: "Cpu" }
    const index = Number(name.split(":")[1] ?? first)
    const wanted: Placement = { _tag: "Gpu", index }
    // A GPU number that does not exist makes TensorFlow refuse the session, which `auto` takes as "none".
    const devices = yield* name === "auto"
      ? Effect.orElseSucceed(seenDevices(api, wanted), () => [])
      : seenDevices(api, wanted).pipe(Effect.mapError(() => unavailable(name)))
    if (devices.some((device) => device.type === "GPU")) return wanted
    if (name === "auto") return { _tag: "Cpu" }
    return yield* unavailable(name)
  })

/** The instruction sets with which a CPU multiplies bfloat16 numbers; without them it is slower than float32. */
const BFLOAT16 = ["avx512_bf16", "amx_bf16"]

const checkPrecision = (placement: Placement, precision: Precision): Effect.Effect<void, DeviceUnavailable> =>
  Effect.suspend(() => {
    if (precision === "float32" || placement._tag === "Gpu") return Effect.void
    const { features } = cpu()
    if (BFLOAT16.some((name) => features.includes(name))) return Effect.void
    return Effect.fail(
      new DeviceUnavailable({
        reason: "Precision",
        device: "cpu",
        message: "this CPU does not train in bfloat16, which takes one with AVX512_BF16 or AMX"
      })
    )
  })

const unavailable = (name: string): DeviceUnavailable =>
  new DeviceUnavailable({
    reason: "NoDevice",
    device: name,
    message: `TensorFlow sees no device ${name} here`
  })
