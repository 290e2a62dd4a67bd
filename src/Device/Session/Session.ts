/** Runs a graph: feeds go in, fetches come out, on a thread of libuv's pool. */
import * as Effect from "effect/Effect"
import type { HostTensor } from "../../Tensor/HostTensor.ts"
import { type DeviceError, fromStatus, tryEngine } from "../Errors.ts"
import type { Graph } from "../Graph/Graph.ts"
import { bytes, number } from "../Graph/Protobuf.ts"
import type { Signature } from "../Graph/Types.ts"
import type { CApi, Pointer, Buffer as TFBuffer } from "../Library/CApi.ts"
import { DTYPE } from "../Library/DataType.ts"
import { allocateTensor, bytesIn, takeTensors } from "../Library/Memory.ts"
import { decodeEvents, type OpEvent, TRACED } from "./StepStats.ts"

/** `RunOptions` with `experimental` (8): a `collective_graph_key` (1), by which runs in several processes know each other. */
const COLLECTIVE = bytes(8, number(1, 1))

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

  /**
   * Opens a session on a graph; `config` is an encoded ConfigProto, `setTarget` names the server that runs it, where it
   * is not this process alone. Throws a tagged error.
   */
  static open(
    graph: Graph,
    config: Uint8Array,
    setTarget: (options: Pointer<"SessionOptions">) => void = () => {}
  ): Session {
    const { api } = graph
    const status = api.TF_NewStatus()
    const options = api.TF_NewSessionOptions()
    try {
      api.TF_SetConfig(options, config, config.length, status)
      setTarget(options)
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

  /** Ends what is running on the session, which fails; nothing runs on it any more. */
  abort(): void {
    const status = this.api.TF_NewStatus()
    this.api.TF_CloseSession(this.pointer, status)
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
  ): Effect.Effect<Array<HostTensor>, DeviceError> {
    return this.call(signature, values, optionsOf(signature), null)
  }

  /** As `run`, but gives what ran, and when. It takes longer, because TensorFlow takes notes. */
  profile(
    signature: Signature,
    values: ReadonlyArray<HostTensor>
  ): Effect.Effect<ReadonlyArray<OpEvent>, DeviceError> {
    const { api } = this
    return Effect.acquireUseRelease(
      Effect.sync(() => api.TF_NewBuffer()),
      (metadata) =>
        Effect.map(this.call(signature, values, [TRACED, ...optionsOf(signature)], metadata), () =>
          decodeEvents(bytesIn(api, metadata))
        ),
      (metadata) => Effect.sync(() => api.TF_DeleteBuffer(metadata))
    )
  }

  /** Calls `TF_SessionRun` with fields of `RunOptions`, and a buffer for what it notes. */
  private call(
    signature: Signature,
    values: ReadonlyArray<HostTensor>,
    fields: ReadonlyArray<Uint8Array>,
    metadata: TFBuffer | null
  ): Effect.Effect<Array<HostTensor>, DeviceError> {
    // TensorFlow takes a run of nothing for a mistake; a program without state has nothing to read or write.
    if (signature.fetches.length + signature.targets.length === 0) return Effect.succeed([])
    return Effect.uninterruptible(
      Effect.callback<Array<HostTensor>, DeviceError>((resume) => {
        const { api } = this
        const { feeds, fetches, targets } = signature
        const status = api.TF_NewStatus()
        const inputs: Array<Pointer<"Tensor">> = []
        const outputs = new Array<Pointer<"Tensor"> | null>(fetches.length).fill(null)
        const encoded = Buffer.concat(fields)
        const options = encoded.length === 0 ? null : api.TF_NewBufferFromString(encoded, encoded.length)
        const release = () => {
          if (options !== null) api.TF_DeleteBuffer(options)
          for (const input of inputs) api.TF_DeleteTensor(input)
          api.TF_DeleteStatus(status)
        }
        try {
          for (const { data, dtype, shape } of values)
            inputs.push(allocateTensor(api, DTYPE[dtype], shape, data))
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
              const code = api.TF_GetCode(status)
              const message = api.TF_Message(status)
              release()
              if (error !== null) resume(Effect.die(error))
              else if (code !== 0) resume(Effect.fail(fromStatus(code, message, signature.doing)))
              else resume(tryEngine(() => takeTensors(api, outputs)))
            }
          )
        } catch (cause) {
          release()
          resume(
            tryEngine(() => {
              throw cause
            })
          )
        }
      })
    )
  }
}

const optionsOf = ({ collective }: Signature): ReadonlyArray<Uint8Array> => (collective ? [COLLECTIVE] : [])

const throwOn = (api: CApi, status: Pointer<"Status">, doing: string): void => {
  const code = api.TF_GetCode(status)
  if (code !== 0) throw fromStatus(code, api.TF_Message(status), doing)
}
