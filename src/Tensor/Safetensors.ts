/**
 * The safetensors format: eight bytes with the header's length, a JSON header with type, shape and place of each
 * tensor, then the values. https://github.com/huggingface/safetensors, "Format".
 */
import * as Data from "effect/Data"
import { asBytes } from "../Platform/Bytes.ts"
import { type HostTensor, sizeOf, type TensorRecord } from "./HostTensor.ts"

/** The bytes are not a whole safetensors file; `message` says what is wrong in one line. */
export class SafetensorsError extends Data.TaggedError("SafetensorsError")<{ readonly message: string }> {}

export interface SafetensorsFile {
  readonly tensors: TensorRecord
  /** Strings that the writer put beside them. */
  readonly metadata: Readonly<Record<string, string>>
}

interface Entry {
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
  readonly data_offsets: readonly [number, number]
}

const NAMES = { float32: "F32", int32: "I32", uint8: "U8" } as const

/** Values start at a multiple of this, so that they can be read in place. */
const ALIGNMENT = 8

/** A file's bytes, in parts that need not be joined in memory. */
export const encode = (
  tensors: TensorRecord,
  metadata: Readonly<Record<string, string>> = {}
): Array<Uint8Array> => {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let offset = 0
  // The format wants tensors of larger elements first, so that every one is aligned.
  const order = Object.entries(tensors).sort(
    ([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  )
  for (const [name, tensor] of order) {
    const end = offset + tensor.data.byteLength
    header[name] = { dtype: NAMES[tensor.dtype], shape: tensor.shape, data_offsets: [offset, end] }
    offset = end
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = ALIGNMENT * Math.ceil(text.length / ALIGNMENT)
  const start = Buffer.alloc(ALIGNMENT + length, " ")
  start.writeBigUInt64LE(BigInt(length))
  text.copy(start, ALIGNMENT)
  return [start, ...order.map(([, tensor]) => asBytes(tensor.data))]
}

/** The value of IEEE half-precision bits. */
const halfToFloat = (bits: number): number => {
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const bfloatToFloat = (words: Uint16Array): Float32Array =>
  new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer)

interface Reading {
  readonly bytes: number
  readonly read: (buffer: ArrayBuffer) => Pick<HostTensor, "dtype" | "data">
}

const toFloat32 = (values: Iterable<number>): Pick<HostTensor, "dtype" | "data"> => ({
  dtype: "float32",
  data: Float32Array.from(values)
})

/** Element types that can be read, and what they become. */
const READINGS: Readonly<Record<string, Reading>> = {
  F64: { bytes: 8, read: (buffer) => toFloat32(new Float64Array(buffer)) },
  F32: { bytes: 4, read: (buffer) => ({ dtype: "float32", data: new Float32Array(buffer) }) },
  F16: { bytes: 2, read: (buffer) => toFloat32(Array.from(new Uint16Array(buffer), halfToFloat)) },
  BF16: {
    bytes: 2,
    read: (buffer) => ({ dtype: "float32", data: bfloatToFloat(new Uint16Array(buffer)) })
  },
  I64: {
    bytes: 8,
    read: (buffer) => ({ dtype: "int32", data: Int32Array.from(new BigInt64Array(buffer), Number) })
  },
  I32: { bytes: 4, read: (buffer) => ({ dtype: "int32", data: new Int32Array(buffer) }) },
  U8: { bytes: 1, read: (buffer) => ({ dtype: "uint8", data: new Uint8Array(buffer) }) }
}

const fail = (message: string): never => {
  throw new SafetensorsError({ message })
}

const isEntry = (value: unknown): value is Entry => {
  const { data_offsets: offsets, dtype, shape } = (value ?? {}) as Partial<Entry>
  return (
    typeof dtype === "string" &&
    Array.isArray(shape) &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(Number.isSafeInteger)
  )
}

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseHeader = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const header: unknown = JSON.parse(text)
    if (isRecord(header) && text.startsWith("{")) return header
  } catch {
    // Falls through to the same complaint.
  }
  return fail("it is not a safetensors file: its header is not a JSON object")
}

const metadataOf = (value: unknown): Readonly<Record<string, string>> => {
  if (value === undefined || value === null) return {}
  const isText = isRecord(value) && Object.values(value).every((text) => typeof text === "string")
  return isText
    ? (value as Readonly<Record<string, string>>)
    : fail("its __metadata__ is not a record of texts")
}

/** The tensors' entries in the order of their bytes, which are read once each: nothing overlaps, nothing is left out. */
const inOrder = (
  entries: Readonly<Record<string, unknown>>,
  length: number
): ReadonlyArray<[string, Entry]> => {
  const named = Object.entries(entries).map(([name, entry]): [string, Entry] =>
    isEntry(entry) ? [name, entry] : fail(`its header has a wrong entry for ${name}`)
  )
  const offsetsOf = ([, { data_offsets }]: [string, Entry]) => data_offsets
  const ordered = named.sort((a, b) => offsetsOf(a)[0] - offsetsOf(b)[0] || offsetsOf(a)[1] - offsetsOf(b)[1])
  let end = 0
  for (const [name, { data_offsets: offsets }] of ordered) {
    const [from, to] = offsets
    if (from !== end || to < from) fail(`${name} does not begin where the tensor before it ends`)
    if (to > length) fail(`it is cut off: ${name} is not all there`)
    end = to
  }
  if (end !== length) fail(`it has bytes after its last tensor: ${length - end}`)
  return ordered
}

/**
 * Reads a file. Floating point of other widths becomes float32, int64 becomes int32.
 * Throws a `SafetensorsError` when the bytes are not a whole file.
 */
export const decode = (bytes: Uint8Array): SafetensorsFile => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < ALIGNMENT) fail("it is not a safetensors file: it is shorter than its header")
  const start = ALIGNMENT + Number(view.getBigUint64(0, true))
  if (start > LONGEST_HEADER) fail("it is not a safetensors file: its header is too long")
  if (start > bytes.length) fail("it is not a safetensors file, or it is cut off: its header does not end")
  const { __metadata__: metadata, ...entries } = parseHeader(
    Buffer.from(bytes.buffer, bytes.byteOffset + ALIGNMENT, start - ALIGNMENT).toString("utf8")
  )
  const tensors = inOrder(entries, bytes.length - start).map(([name, entry]): [string, HostTensor] => {
    const { data_offsets: offsets, dtype, shape } = entry
    const reading = Object.hasOwn(READINGS, dtype) ? READINGS[dtype] : undefined
    if (reading === undefined) return fail(`${name} has the type ${dtype}, which cannot be read`)
    const [from, to] = offsets
    if (to - from !== sizeOf(shape) * reading.bytes) fail(`${name} has a wrong size`)
    // A Buffer's own `slice` would not copy.
    const copy = new Uint8Array(bytes.subarray(start + from, start + to))
    return [name, { shape, ...reading.read(copy.buffer) } as HostTensor]
  })
  return { tensors: Object.fromEntries(tensors), metadata: metadataOf(metadata) }
}
