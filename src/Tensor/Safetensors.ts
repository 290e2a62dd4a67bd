/**
 * The safetensors format: eight bytes with the header's length, a JSON header with type, shape and place of each
 * tensor, then the values. https://github.com/huggingface/safetensors, "Format".
 */
import * as Data from "effect/Data"
import { asBytes } from "../Platform/Bytes.ts"
import { READINGS, type Reading } from "./Elements.ts"
import type { HostTensor, TensorRecord } from "./HostTensor.ts"

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

const parseHeader = (bytes: Uint8Array): Readonly<Record<string, unknown>> => {
  try {
    const header: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
    )
    if (isRecord(header)) return header
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

/** How a tensor's bytes are read; fails unless there are as many as its shape says. */
const readingOf = (name: string, { data_offsets: [from, to], dtype, shape }: Entry): Reading => {
  const reading = Object.hasOwn(READINGS, dtype) ? READINGS[dtype] : undefined
  if (reading === undefined) return fail(`${name} has the type ${dtype}, which cannot be read`)
  // Sides that overflow, with a zero after them, are none either.
  const sides = shape.reduce((size, side) => (size > Number.MAX_SAFE_INTEGER ? size : size * side), 1)
  return to - from === sides * reading.bytes ? reading : fail(`${name} has a wrong size`)
}

interface Placed {
  readonly name: string
  readonly entry: Entry
  readonly reading: Reading
}

/** The tensors in the order of their bytes, which are read once each: nothing overlaps, nothing is left out. */
const inOrder = (entries: Readonly<Record<string, unknown>>, length: number): ReadonlyArray<Placed> => {
  const named = Object.entries(entries).map(([name, entry]): [string, Entry] =>
    isEntry(entry) ? [name, entry] : fail(`its header has a wrong entry for ${name}`)
  )
  const offsetsOf = ([, { data_offsets }]: [string, Entry]) => data_offsets
  const ordered = named.sort((a, b) => offsetsOf(a)[0] - offsetsOf(b)[0] || offsetsOf(a)[1] - offsetsOf(b)[1])
  let end = 0
  const placed = ordered.map(([name, entry]): Placed => {
    const [from, to] = entry.data_offsets
    if (from !== end || to < from) fail(`${name} does not begin where the tensor before it ends`)
    if (to > length) fail(`it is cut off: ${name} is not all there`)
    end = to
    return { name, entry, reading: readingOf(name, entry) }
  })
  if (end !== length) fail(`it has bytes after its last tensor: ${length - end}`)
  return placed
}

/** Where the values of a file of so many bytes begin, by its first eight. */
export const headerEnd = (start: Uint8Array, size: number): number => {
  if (size < ALIGNMENT || start.length < ALIGNMENT)
    fail("it is not a safetensors file: it is shorter than its header")
  const view = new DataView(start.buffer, start.byteOffset, ALIGNMENT)
  const length = view.getBigUint64(0, true)
  if (length > LONGEST_HEADER) fail("it is not a safetensors file: its header is too long")
  const end = ALIGNMENT + Number(length)
  return end > size ? fail("it is not a safetensors file, or it is cut off: its header does not end") : end
}

/** What a file of so many bytes holds, by its header, with everything that can be wrong but the values themselves. */
export const readHeader = (
  header: Uint8Array,
  size: number
): { readonly placed: ReadonlyArray<Placed>; readonly metadata: SafetensorsFile["metadata"] } => {
  const { __metadata__: metadata, ...entries } = parseHeader(header.subarray(ALIGNMENT))
  return { placed: inOrder(entries, size - header.length), metadata: metadataOf(metadata) }
}

/**
 * Reads a file. Floating point of other widths becomes float32, int64 becomes int32.
 * Throws a `SafetensorsError` when the bytes are not a whole file.
 */
export const decode = (bytes: Uint8Array): SafetensorsFile => {
  const start = headerEnd(bytes, bytes.length)
  const { metadata, placed } = readHeader(bytes.subarray(0, start), bytes.length)
  const tensors = placed.map(({ entry, name, reading }): [string, HostTensor] => {
    const [from, to] = entry.data_offsets
    // A Buffer's own `slice` would not copy.
    const copy = new Uint8Array(bytes.subarray(start + from, start + to))
    return [name, { shape: entry.shape, ...reading.read(copy.buffer, fail) } as HostTensor]
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}
