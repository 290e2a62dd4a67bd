/** Elements of tensors as they lie in files. */
import type { HostTensor } from "./HostTensor.ts"

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

/** How elements of a type are read. */
export interface Reading {
  readonly bytes: number
  /** `fail` throws. */
  readonly read: (buffer: ArrayBuffer, fail: (problem: string) => never) => Values
}

type Values = Pick<HostTensor, "dtype" | "data">

const halvesToFloats = (words: Uint16Array): Values => {
  const data = new Float32Array(words.length)
  for (const [i, word] of words.entries()) data[i] = halfToFloat(word)
  return { dtype: "float32", data }
}

/** Larger numbers than an int32 holds would be others. */
const longsToInts = (longs: BigInt64Array, fail: (problem: string) => never): Values => {
  const data = new Int32Array(longs.length)
  for (const [i, long] of longs.entries()) {
    data[i] = Number(long)
    if (BigInt(data[i]) !== long) fail("it holds integers of more than 32 bits")
  }
  return { dtype: "int32", data }
}

/** Element types that can be read, by the names that safetensors have for them, and what they become. */
export const READINGS: Readonly<Record<string, Reading>> = {
  F64: {
    bytes: 8,
    read: (buffer) => ({ dtype: "float32", data: new Float32Array(new Float64Array(buffer)) })
  },
  F32: { bytes: 4, read: (buffer) => ({ dtype: "float32", data: new Float32Array(buffer) }) },
  F16: { bytes: 2, read: (buffer) => halvesToFloats(new Uint16Array(buffer)) },
  BF16: {
    bytes: 2,
    read: (buffer) => ({ dtype: "float32", data: bfloatToFloat(new Uint16Array(buffer)) })
  },
  I64: { bytes: 8, read: (buffer, fail) => longsToInts(new BigInt64Array(buffer), fail) },
  I32: { bytes: 4, read: (buffer) => ({ dtype: "int32", data: new Int32Array(buffer) }) },
  U8: { bytes: 1, read: (buffer) => ({ dtype: "uint8", data: new Uint8Array(buffer) }) }
}
