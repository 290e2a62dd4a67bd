/** Runs a graph: feeds go in, fetches come out, on a thread of libuv's pool. */
import * as Effect from "effect/Effect"
import type { DType, HostTensor } from "../../Tensor/HostTensor.ts"
import { type ExecutionError, fromStatus, type OutOfMemory } from "../Errors.ts"
import { allocateTensor, type Graph, type GraphTensor, type Operation } from "../Graph/Graph.ts"
import { bytesIn } from "../Library/Buffer.ts"
import type { Buffer, CApi, Pointer } from "../Library/CApi.ts"
import { TF } from "../Library/DataType.ts"
import { decodeEvents, type OpEvent, TRACED } from "./StepStats.ts"

/** TensorFlow's number of each host element type. */
export const DTYPE: Readonly<Record<DType, number>> = { float32: TF.FLOAT, int32: TF.INT32, uint8: TF.UINT8 }

/** What one kind of run needs: where its inputs go, what is fetched, which operations run besides. */
export interface Signature {
  /** For error messages: `run train`. */
  readonly doing: string
  readonly feeds: ReadonlyArray<GraphTensor>
  readonly fetches: ReadonlyArray<GraphTensor>
  readonly targets: ReadonlyArray<Operation>
}

/** A device that a session sees, by TensorFlow's name for it. */
export interface SeenDevice {
  readonly name: string
  readonly type: string
  readonly memoryBytes: number
}

export class Session {
  private readonly api: CApi
  private readonly pointer: Pointer<"Session">

  private constructor(api: CApi, pointer: Pointer<"Session">) {
    this.api = api
    this.pointer = pointer
  }

  /** Opens a session on a graph; `config` is an encoded ConfigProto. Throws a tagged error. */
  static open(graph: Graph, config: Uint8Array): Session {
    const { api } = graph
    const status = api.TF_NewStatus()
    const options = api.TF_NewSessionOptions()
    try {
      api.TF_SetConfig(options, config, config.length, status)
      const pointer = api.TF_NewSession(graph.pointer, options, status)
      throwOn(api, status, "open a session")
      return new Session(api, pointer)
    } finally {
      api.TF_DeleteSessionOptions(options)
      api.TF_DeleteStatus(status)
    }
  }

  /** Closes the session and frees its variables. Nothing may be running on it. */
  close(): void {
    const status = this.api.TF_NewStatus()
    this.api.TF_CloseSession(this.pointer, status)
    this.api.TF_DeleteSession(this.pointer, status)
    this.api.TF_DeleteStatus(status)
  }

  devices(): ReadonlyArray<SeenDevice> {
    const { api } = this
    const status = api.TF_NewStatus()
    const list = api.TF_SessionListDevices(this.pointer, status)
    try {
      throwOn(api, status, "list the devices")
      return Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => ({
        name: api.TF_DeviceListName(list, i, status),
        type: api.TF_DeviceListType(list, i, status),
        memoryBytes: Number(api.TF_DeviceListMemoryBytes(list, i, status))
      }))
    } finally {
      api.TF_DeleteDeviceList(list)
      api.TF_DeleteStatus(status)
    }
  }

  /**
   * Runs a signature with one value for each of its feeds, and gives one for each of its fetches. It cannot
   * be interrupted in the middle: an interruption is seen when the run has ended.
   */
  run(
    signature: Signature,
    values: ReadonlyArray<HostTensor>
  ): Effect.Effect<Array<HostTensor>, ExecutionError | OutOfMemory> {
    return this.call(signature, values, null, null)
  }

  /** As `run`, but gives what ran, and when. It takes longer, because TensorFlow takes notes. */
  profile(
    signature: Signature,
    values: ReadonlyArray<HostTensor>
  ): Effect.Effect<ReadonlyArray<OpEvent>, ExecutionError | OutOfMemory> {
    const { api } = this
    return Effect.acquireUseRelease(
      Effect.sync(() => ({
        options: api.TF_NewBufferFromString(TRACED, TRACED.length),
        metadata: api.TF_NewBuffer()
      })),
      ({ metadata, options }) =>
        Effect.map(this.call(signature, values, options, metadata), () =>
          decodeEvents(bytesIn(api, metadata))
        ),
      ({ metadata, options }) =>
        Effect.sync(() => {
          api.TF_DeleteBuffer(options)
          api.TF_DeleteBuffer(metadata)
        })
    )
  }

  /** Calls `TF_SessionRun` with encoded options, and a buffer for what it notes. */
  private call(
    signature: Signature,
    values: ReadonlyArray<HostTensor>,
    options: Buffer | null,
    metadata: Buffer | null
  ): Effect.Effect<Array<HostTensor>, ExecutionError | OutOfMemory> {
    // TensorFlow takes a run of nothing for a mistake; a program without state has nothing to read or write.
    if (signature.fetches.length + signature.targets.length === 0) return Effect.succeed([])
    return Effect.uninterruptible(
      Effect.callback<Array<HostTensor>, ExecutionError | OutOfMemory>((resume) => {
        const { api } = this
        const { feeds, fetches, targets } = signature
        const status = api.TF_NewStatus()
        const inputs = values.map((value) => allocateTensor(api, DTYPE[value.dtype], value.shape, value.data))
        const outputs = new Array<Pointer<"Tensor"> | null>(fetches.length).fill(null)
        api.TF_SessionRun.async(
          this.pointer,
          options,
          feeds.map((feed) => feed.output),
          inputs,
          inputs.length,
          fetches.map((fetch) => fetch.output),
          outputs,
          outputs.length,
          targets.map((target) => target.pointer),
          targets.length,
          metadata,
          status,
          (error) => {
            for (const input of inputs) api.TF_DeleteTensor(input)
            const code = api.TF_GetCode(status)
            const message = api.TF_Message(status)
            api.TF_DeleteStatus(status)
            if (error !== null) resume(Effect.die(error))
            else if (code !== 0) resume(Effect.fail(fromStatus(code, message, signature.doing)))
            else resume(Effect.sync(() => outputs.map((output) => takeTensor(api, output!))))
          }
        )
      })
    )
  }
}

const throwOn = (api: CApi, status: Pointer<"Status">, doing: string): void => {
  const code = api.TF_GetCode(status)
  if (code !== 0) throw fromStatus(code, api.TF_Message(status), doing)
}

/** Copies a tensor out of TensorFlow's memory and deletes it there. */
const takeTensor = (api: CApi, tensor: Pointer<"Tensor">): HostTensor => {
  const bytes = Number(api.TF_TensorByteSize(tensor))
  const data = new Uint8Array(bytes)
  if (bytes > 0) api.memcpy(data, api.TF_TensorData(tensor), bytes)
  const shape = Array.from({ length: api.TF_NumDims(tensor) }, (_, i) => Number(api.TF_Dim(tensor, i)))
  const type = api.TF_TensorType(tensor)
  api.TF_DeleteTensor(tensor)
  if (type === TF.FLOAT) return { dtype: "float32", shape, data: new Float32Array(data.buffer) }
  if (type === TF.INT32) return { dtype: "int32", shape, data: new Int32Array(data.buffer) }
  return { dtype: "uint8", shape, data }
}
