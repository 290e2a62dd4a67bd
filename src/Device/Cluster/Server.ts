/**
 * TensorFlow's server: joins this process to others, each with a graph and a session of its own, so that collective
 * operations in them meet. There is one in a process, and it lasts as long (libtensorflow cannot end one).
 */
import { ClusterError } from "../Errors.ts"
import { bytes, number } from "../Graph/Protobuf.ts"
import type { CApi, Pointer } from "../Library/CApi.ts"
import { openServerApi } from "../Library/ServerApi.ts"
import { confine } from "./Confine.ts"

/** The processes of a cluster, and which of them this one is. */
export interface ClusterSpec {
  /** Of each process, IPv4 or a name, with a port: `10.0.0.1:4000`. */
  readonly addresses: ReadonlyArray<string>
  readonly index: number
  /** Whether the server is started even where other networks can reach it too. */
  readonly unconfined: boolean
}

/** What sessions have to know of the cluster that they are in. */
export interface Cluster {
  /** Has a session run by the server. */
  readonly setTarget: (options: Pointer<"SessionOptions">) => void
  /** Fields of a session's `ConfigProto`, after those of the device. */
  readonly config: Uint8Array
}

const taskOf = (index: number): string => `/job:worker/replica:0/task:${index}`

/** Bytes of a message in which tensors are sent. */
const CHUNK = 65_536

/**
 * `device_filters` (4): this task alone, so that operations are on its device without being placed, and runs do not wait
 * for others. `experimental` (16): `collective_group_leader` (1), and the largest piece of a tensor in a message (4).
 */
const configOf = (index: number): Uint8Array =>
  Buffer.concat([bytes(4, taskOf(index)), bytes(16, [bytes(1, taskOf(0)), number(4, CHUNK)])])

/** `ServerDef`: `cluster` (1), `job_name` (2), `task_index` (3), `default_session_config` (4), `protocol` (5). */
const definitionOf = ({ addresses, index }: ClusterSpec, config: Uint8Array): Uint8Array => {
  const tasks = addresses.map((address, i) => bytes(2, [number(1, i), bytes(2, address)]))
  const cluster = bytes(1, [bytes(1, "worker"), ...tasks])
  return Buffer.concat([
    ...[bytes(1, cluster), bytes(2, "worker"), number(3, index)],
    ...[bytes(4, config), bytes(5, "grpc")]
  ])
}

/** Starts this process's server. `device` is the encoded ConfigProto of its device. Throws a tagged error. */
export const startServer = (api: CApi, library: string, spec: ClusterSpec, device: Uint8Array): Cluster => {
  const { TF_NewServer, TF_ServerStart, TF_ServerTarget, TF_SetTarget, attachFilter } = openServerApi(library)
  const own = spec.addresses[spec.index]
  const [address, port] = own.split(":")
  const config = configOf(spec.index)
  const definition = definitionOf(spec, Buffer.concat([device, config]))
  const status = api.TF_NewStatus()
  const check = (): void => {
    if (api.TF_GetCode(status) === 0) return
    const message = `TensorFlow's server does not start on ${own}: ${api.TF_Message(status).split("\n")[0]}`
    throw new ClusterError({ reason: "NotStarted", message })
  }
  try {
    const server = TF_NewServer(definition, definition.length, status)
    check()
    const open = confine(attachFilter, Number(port), address)
    if (open !== undefined && !spec.unconfined) {
      const message = `TensorFlow's server cannot be confined to ${own}, so that every network of this machine could reach it: ${open}`
      throw new ClusterError({ reason: "Unconfined", message })
    }
    TF_ServerStart(server, status)
    check()
    const target = TF_ServerTarget(server)
    return { setTarget: (options) => TF_SetTarget(options, target), config }
  } finally {
    api.TF_DeleteStatus(status)
  }
}
