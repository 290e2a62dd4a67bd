/**
 * What TensorFlow notes of a run: its operations, when and for how long they ran. The numbers are those of the fields
 * in tensorflow/core/protobuf/config.proto and tensorflow/core/framework/step_stats.proto. There is one for a thread's
 * number too, but TensorFlow leaves it at 0.
 */
import { bytesOf, fields, number, textOf } from "../Graph/Protobuf.ts"

/** A run of one operation. */
export interface OpEvent {
  /** TensorFlow's name of the device. */
  readonly device: string
  /** Kind of operation, as TensorFlow ran it: `_MklNativeConv2D` where the program has a `Conv2D`. */
  readonly op: string
  /** Name in the graph. */
  readonly node: string
  /** Microseconds since the first operation began. */
  readonly start: number
  /** Microseconds. */
  readonly duration: number
}

/** `RunOptions` with the `trace_level` (1) `FULL_TRACE`. */
export const TRACED = number(1, 3)

/** The label of a node is `NODE = OP(INPUTS)`, after what it took of memory. */
const opIn = (label: string): string | undefined => / = (\w+)\(/.exec(label)?.[1]

/** Decodes a `NodeExecStats`; `start` is in nanoseconds of the clock. */
const decodeNode = (message: Uint8Array) => {
  const last = new Map(fields(message).map((field) => [field.number, field.value]))
  const text = (field: number): string => {
    const value = last.get(field)
    return value instanceof Uint8Array ? textOf(value) : ""
  }
  const integer = (field: number): bigint => {
    const value = last.get(field)
    return typeof value === "bigint" ? BigInt.asIntN(64, value) : 0n
  }
  const node = text(1)
  return {
    op: opIn(text(8)) ?? node,
    node,
    start: integer(13) + integer(14),
    duration: Number(integer(15) - integer(14)) / 1000
  }
}

/** The operations of an encoded `RunMetadata`, in the order of their starts. */
export const decodeEvents = (metadata: Uint8Array): ReadonlyArray<OpEvent> => {
  const devices = bytesOf(metadata, 1).flatMap((stats) => bytesOf(stats, 1))
  const nodes = devices.flatMap((message) => {
    const device = bytesOf(message, 1).map(textOf).join()
    return bytesOf(message, 2).map((node) => ({ device, ...decodeNode(node) }))
  })
  nodes.sort((a, b) => Number(a.start - b.start))
  return nodes.map((node) => ({ ...node, start: Number(node.start - nodes[0].start) / 1000 }))
}
