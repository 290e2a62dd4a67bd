/**
 * TensorFlow's C API as typed JavaScript functions, bound through koffi. Nothing here interprets anything: the
 * rest of `Device/` gives these calls their meaning.
 */
import { randomBytes } from "node:crypto"
import { closeSync, existsSync, openSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import type { LibraryHandle } from "koffi"

/** A C pointer to an object of TensorFlow's; `null` where the C function allows it. */
export interface Pointer<Of extends string> {
  readonly __pointsTo: Of
}

/** One output of an operation in a graph. */
export interface TFOutput {
  readonly oper: Pointer<"Operation">
  readonly index: number
}

type Status = Pointer<"Status">
type Description = Pointer<"OperationDescription">
type Graph = Pointer<"Graph">
type Tensor = Pointer<"Tensor">
type Session = Pointer<"Session">
type Options = Pointer<"SessionOptions">
type Devices = Pointer<"DeviceList">
type Data = Pointer<"void">
export type Buffer = Pointer<"Buffer">

/** Bytes that TensorFlow gives. */
interface TFBuffer {
  readonly data: Data
  readonly length: number
}

type RunArguments = [
  session: Session,
  runOptions: Buffer | null,
  inputs: ReadonlyArray<TFOutput>,
  inputValues: ReadonlyArray<Tensor>,
  inputCount: number,
  outputs: ReadonlyArray<TFOutput>,
  outputValues: Array<Tensor | null>,
  outputCount: number,
  targets: ReadonlyArray<Pointer<"Operation">>,
  targetCount: number,
  runMetadata: Buffer | null,
  status: Status
]

export interface CApi {
  readonly TF_Version: () => string
  readonly TF_NewStatus: () => Status
  readonly TF_DeleteStatus: (status: Status) => void
  readonly TF_GetCode: (status: Status) => number
  readonly TF_Message: (status: Status) => string
  readonly TF_NewGraph: () => Graph
  readonly TF_DeleteGraph: (graph: Graph) => void
  readonly TF_NewOperation: (graph: Graph, type: string, name: string) => Description
  readonly TF_AddInput: (op: Description, input: TFOutput) => void
  readonly TF_AddInputList: (op: Description, inputs: ReadonlyArray<TFOutput>, count: number) => void
  readonly TF_AddControlInput: (op: Description, input: Pointer<"Operation">) => void
  readonly TF_FinishOperation: (op: Description, status: Status) => Pointer<"Operation">
  readonly TF_OperationName: (op: Pointer<"Operation">) => string
  readonly TF_NewBuffer: () => Buffer
  /** Copies the bytes. */
  readonly TF_NewBufferFromString: (bytes: Uint8Array, length: number) => Buffer
  readonly TF_GetBuffer: (buffer: Buffer) => TFBuffer
  readonly TF_DeleteBuffer: (buffer: Buffer) => void
  readonly TF_GraphToGraphDef: (graph: Graph, buffer: Buffer, status: Status) => void
  readonly TF_SetAttrType: (op: Description, name: string, value: number) => void
  readonly TF_SetAttrInt: (op: Description, name: string, value: number | bigint) => void
  readonly TF_SetAttrIntList: (op: Description, name: string, values: BigInt64Array, count: number) => void
  readonly TF_SetAttrFloat: (op: Description, name: string, value: number) => void
  readonly TF_SetAttrBool: (op: Description, name: string, value: number) => void
  readonly TF_SetAttrString: (op: Description, name: string, value: string, length: number) => void
  readonly TF_SetAttrShape: (op: Description, name: string, dims: BigInt64Array, rank: number) => void
  readonly TF_SetAttrTensor: (op: Description, name: string, value: Tensor, status: Status) => void
  readonly TF_OperationNumOutputs: (op: Pointer<"Operation">) => number
  readonly TF_OperationOutputType: (output: TFOutput) => number
  readonly TF_GraphGetTensorNumDims: (graph: Graph, output: TFOutput, status: Status) => number
  readonly TF_GraphGetTensorShape: (
    graph: Graph,
    output: TFOutput,
    dims: BigInt64Array,
    rank: number,
    status: Status
  ) => void
  /** Gives `null` where there is no room. */
  readonly TF_AllocateTensor: (
    dtype: number,
    dims: BigInt64Array,
    rank: number,
    bytes: number
  ) => Tensor | null
  readonly TF_DeleteTensor: (tensor: Tensor) => void
  readonly TF_TensorData: (tensor: Tensor) => Data
  readonly TF_TensorByteSize: (tensor: Tensor) => number
  readonly TF_TensorType: (tensor: Tensor) => number
  readonly TF_NumDims: (tensor: Tensor) => number
  readonly TF_Dim: (tensor: Tensor, index: number) => number
  readonly TF_NewSessionOptions: () => Options
  readonly TF_SetConfig: (options: Options, proto: Uint8Array, length: number, status: Status) => void
  readonly TF_DeleteSessionOptions: (options: Options) => void
  readonly TF_NewSession: (graph: Graph, options: Options, status: Status) => Session
  readonly TF_CloseSession: (session: Session, status: Status) => void
  readonly TF_DeleteSession: (session: Session, status: Status) => void
  readonly TF_SessionListDevices: (session: Session, status: Status) => Devices
  readonly TF_DeviceListCount: (devices: Devices) => number
  readonly TF_DeviceListName: (devices: Devices, index: number, status: Status) => string
  readonly TF_DeviceListType: (devices: Devices, index: number, status: Status) => string
  readonly TF_DeviceListMemoryBytes: (devices: Devices, index: number, status: Status) => number
  readonly TF_DeleteDeviceList: (devices: Devices) => void
  /** Runs on a thread of libuv's pool and calls back on the main thread. */
  readonly TF_SessionRun: {
    readonly async: (...args: [...RunArguments, callback: (error: Error | null) => void]) => void
  }
  /** `memcpy(target, source, bytes)` between a typed array and TensorFlow's memory, in either direction. */
  readonly memcpy: (target: Data | Uint8Array, source: Data | Uint8Array, bytes: number) => void
  /** Gives the system back what glibc's heaps have free, but for `pad` bytes at their ends; nothing elsewhere. */
  readonly malloc_trim: (pad: number) => number
}

const prototypes: ReadonlyArray<string> = [
  "const char* TF_Version()",
  "void* TF_NewStatus()",
  "void TF_DeleteStatus(void* status)",
  "int TF_GetCode(const void* status)",
  "const char* TF_Message(const void* status)",
  "void* TF_NewGraph()",
  "void TF_DeleteGraph(void* graph)",
  "void* TF_NewOperation(void* graph, const char* type, const char* name)",
  "void TF_AddInput(void* op, TF_Output input)",
  "void TF_AddInputList(void* op, const TF_Output* inputs, int count)",
  "void TF_AddControlInput(void* op, void* input)",
  "void* TF_FinishOperation(void* op, void* status)",
  "const char* TF_OperationName(void* op)",
  "void* TF_NewBuffer()",
  "void* TF_NewBufferFromString(const uint8_t* bytes, size_t length)",
  "TF_Buffer TF_GetBuffer(void* buffer)",
  "void TF_DeleteBuffer(void* buffer)",
  "void TF_GraphToGraphDef(void* graph, void* buffer, void* status)",
  "void TF_SetAttrType(void* op, const char* name, int value)",
  "void TF_SetAttrInt(void* op, const char* name, int64_t value)",
  "void TF_SetAttrIntList(void* op, const char* name, const int64_t* values, int count)",
  "void TF_SetAttrFloat(void* op, const char* name, float value)",
  "void TF_SetAttrBool(void* op, const char* name, uint8_t value)",
  "void TF_SetAttrString(void* op, const char* name, const char* value, size_t length)",
  "void TF_SetAttrShape(void* op, const char* name, const int64_t* dims, int rank)",
  "void TF_SetAttrTensor(void* op, const char* name, void* value, void* status)",
  "int TF_OperationNumOutputs(void* op)",
  "int TF_OperationOutputType(TF_Output output)",
  "int TF_GraphGetTensorNumDims(void* graph, TF_Output output, void* status)",
  "void TF_GraphGetTensorShape(void* graph, TF_Output output, _Out_ int64_t* dims, int rank, void* status)",
  "void* TF_AllocateTensor(int dtype, const int64_t* dims, int rank, size_t bytes)",
  "void TF_DeleteTensor(void* tensor)",
  "void* TF_TensorData(const void* tensor)",
  "size_t TF_TensorByteSize(const void* tensor)",
  "int TF_TensorType(const void* tensor)",
  "int TF_NumDims(const void* tensor)",
  "int64_t TF_Dim(const void* tensor, int index)",
  "void* TF_NewSessionOptions()",
  "void TF_SetConfig(void* options, const uint8_t* proto, size_t length, void* status)",
  "void TF_DeleteSessionOptions(void* options)",
  "void* TF_NewSession(void* graph, const void* options, void* status)",
  "void TF_CloseSession(void* session, void* status)",
  "void TF_DeleteSession(void* session, void* status)",
  "void* TF_SessionListDevices(void* session, void* status)",
  "int TF_DeviceListCount(const void* devices)",
  "const char* TF_DeviceListName(const void* devices, int index, void* status)",
  "const char* TF_DeviceListType(const void* devices, int index, void* status)",
  "int64_t TF_DeviceListMemoryBytes(const void* devices, int index, void* status)",
  "void TF_DeleteDeviceList(void* devices)",
  "void TF_SessionRun(void* session, const void* runOptions, const TF_Output* inputs, void** inputValues, int inputCount, const TF_Output* outputs, _Out_ void** outputValues, int outputCount, void** targets, int targetCount, void* runMetadata, void* status)"
]

/** What TensorFlow prints by itself; errors are thrown in any case. */
export type LogLevel = "errors" | "nothing"

/** What TensorFlow is told unless the user's environment says otherwise. */
const environmentOf = (log: LogLevel): Readonly<Record<string, string>> => ({
  // Without AVX-512 TensorFlow leaves oneDNN off by itself, and a step takes a quarter longer.
  TF_ENABLE_ONEDNN_OPTS: "1",
  TF_CPP_MIN_LOG_LEVEL: log === "errors" ? "2" : "3"
})

/** `dlopen` flags: resolve lazily (1), make symbols global, never unload. */
const FLAGS = process.platform === "darwin" ? 0x1 | 0x8 | 0x80 : 0x1 | 0x100 | 0x1000

/**
 * Runs `load` with the process's stderr turned away. While it loads, before its log level is in force, TensorFlow
 * prints that oneDNN is on, which is no news here. A loader's errors are thrown, not printed.
 */
const quietly = (libc: LibraryHandle, load: () => void): void => {
  const dup = libc.func("int dup(int file)")
  const dup2 = libc.func("int dup2(int from, int to)")
  const close = libc.func("int close(int file)")
  const stderr = 2
  const kept = dup(stderr)
  const nowhere = openSync("/dev/null", "w")
  dup2(nowhere, stderr)
  closeSync(nowhere)
  try {
    load()
  } finally {
    dup2(kept, stderr)
    close(kept)
  }
}

/** A function that not every C library has: `mallopt` and `malloc_trim` are glibc's. */
const whereKnown = (
  libc: LibraryHandle,
  prototype: string
): ((...numbers: ReadonlyArray<number>) => number) => {
  try {
    return libc.func(prototype)
  } catch {
    return () => 0
  }
}

/** `mallopt`'s number of the largest number of arenas. */
const M_ARENA_MAX = -8

/**
 * Lets threads of the C library share one heap. With a heap each, memory that TensorFlow frees in one thread is not used
 * again by the others; tensors have an allocator of their own. MALLOC_ARENA_MAX in the environment comes first.
 */
const oneArena = (libc: LibraryHandle): void => {
  if (process.env.MALLOC_ARENA_MAX !== undefined) return
  whereKnown(libc, "int mallopt(int parameter, int value)")(M_ARENA_MAX, 1)
}

const opened = new Map<string, CApi>()

/** The other of the two libraries of a wheel, by the path of the first. */
export const secondLibrary = (path: string): string =>
  join(dirname(path), basename(path).replace("_cc.", "_framework."))

/** The function from the first library that has it; where none has, the loader's error for the first. */
const bind = (prototype: string, first: LibraryHandle, second: LibraryHandle): unknown => {
  try {
    return first.func(prototype)
  } catch (cause) {
    try {
      return second.func(prototype)
    } catch {
      throw cause
    }
  }
}

/**
 * Loads `libtensorflow_cc` and binds its functions; a second call with the same path gives the same functions.
 * Throws the loader's own error when the file cannot be loaded.
 */
export const openCApi = (
  path: string,
  preload: ReadonlyArray<string> = [],
  log: LogLevel = "errors"
): CApi => {
  const known = opened.get(path)
  if (known !== undefined) return known
  // koffi is loaded here and not at the top, so that importing this module costs nothing.
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
  const libc = koffi.load(null)
  const chatty = process.env.TF_CPP_MIN_LOG_LEVEL !== undefined
  // TensorFlow reads its environment while it loads. `process.env` does not reach the C library in every host.
  const setenv = libc.func("int setenv(const char* name, const char* value, int overwrite)")
  for (const [name, value] of Object.entries(environmentOf(log))) setenv(name, process.env[name] ?? value, 1)
  oneArena(libc)
  // koffi unloads a library when the process ends, which libtensorflow does not survive: hold it for ever.
  const dlopen = libc.func("void* dlopen(const char* path, int flags)")
  for (const file of preload) dlopen(file, FLAGS)
  const open = () => dlopen(path, FLAGS)
  if (chatty) open()
  else quietly(libc, open)
  const library = koffi.load(path)
  // Some functions are the second library's. Linux finds them by the first, which needs it.
  const second = secondLibrary(path)
  const further = existsSync(second) ? koffi.load(second) : library
  // koffi's types are the process's, where there may be another copy of this package.
  const own = randomBytes(4).toString("hex")
  koffi.struct(`TF_Output${own}`, { oper: "void*", index: "int" })
  koffi.struct(`TF_Buffer${own}`, { data: "void*", length: "size_t", deallocator: "void*" })
  const functions: Record<string, unknown> = {
    memcpy: libc.func("void* memcpy(void* target, const void* source, size_t bytes)"),
    malloc_trim: whereKnown(libc, "int malloc_trim(size_t pad)")
  }
  for (const prototype of prototypes) {
    const name = /(\w+)\(/.exec(prototype)![1]
    functions[name] = bind(prototype.replace(/\bTF_(Output|Buffer)\b/g, `$&${own}`), library, further)
  }
  const api = functions as unknown as CApi
  opened.set(path, api)
  return api
}
