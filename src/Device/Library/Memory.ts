/** Copies between JavaScript's memory and TensorFlow's: tensors, and buffers of encoded messages. */
import { asBytes } from "../../Platform/Bytes.ts"
import { type HostTensor, sizeOf } from "../../Tensor/HostTensor.ts"
import { OutOfMemory } from "../Errors.ts"
import type { Buffer, CApi, Pointer } from "./CApi.ts"
import { BYTES, TF } from "./DataType.ts"

/** The elements of a tensor, in row-major order. */
export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array

/** What the C API takes for a shape or a list of integers. */
export const bigints = (values: ReadonlyArray<number>): BigInt64Array => BigInt64Array.from(values, BigInt)

/**
 * Allocates a tensor in TensorFlow's memory and copies `data` into it. The caller deletes it. Throws `OutOfMemory`
 * where there is no room.
 */
export const allocateTensor = (
  api: CApi,
  dtype: number,
  shape: ReadonlyArray<number>,
  data: Values
): Pointer<"Tensor"> => {
  const size = sizeOf(shape) * BYTES[dtype]
  const tensor = api.TF_AllocateTensor(dtype, bigints(shape), shape.length, size)
  if (tensor === null) {
    throw new OutOfMemory({
      reason: "Tensor",
      message: `out of memory: there is no room for a tensor of ${size} bytes`
    })
  }
  if (data.byteLength > 0) {
    const bytes = asBytes(data)
    api.memcpy(api.TF_TensorData(tensor), bytes, bytes.byteLength)
  }
  return tensor
}

/** Room in JavaScript's memory. */
const roomFor = (bytes: number): Uint8Array<ArrayBuffer> => {
  try {
    return new Uint8Array(bytes)
  } catch {
    throw new OutOfMemory({
      reason: "JavaScript",
      message: `out of memory: JavaScript has no room for a tensor of ${bytes} bytes`
    })
  }
}

/** Copies a tensor out of TensorFlow's memory. */
const copyTensor = (api: CApi, tensor: Pointer<"Tensor">): HostTensor => {
  const bytes = Number(api.TF_TensorByteSize(tensor))
  const data = roomFor(bytes)
  if (bytes > 0) api.memcpy(data, api.TF_TensorData(tensor), bytes)
  const shape = Array.from({ length: api.TF_NumDims(tensor) }, (_, i) => Number(api.TF_Dim(tensor, i)))
  const type = api.TF_TensorType(tensor)
  if (type === TF.FLOAT) return { dtype: "float32", shape, data: new Float32Array(data.buffer) }
  if (type === TF.INT32) return { dtype: "int32", shape, data: new Int32Array(data.buffer) }
  return { dtype: "uint8", shape, data }
}

/**
 * Copies tensors out of TensorFlow's memory and deletes them there, each once it is copied; all of them where there is
 * no room for one. Throws `OutOfMemory` then.
 */
export const takeTensors = (
  api: CApi,
  tensors: ReadonlyArray<Pointer<"Tensor"> | null>
): Array<HostTensor> => {
  const left = tensors.filter((tensor) => tensor !== null)
  const taken: Array<HostTensor> = []
  try {
    for (; left.length > 0; left.shift()) {
      taken.push(copyTensor(api, left[0]))
      api.TF_DeleteTensor(left[0])
    }
    return taken
  } finally {
    for (const tensor of left) api.TF_DeleteTensor(tensor)
  }
}

/** A copy of a buffer's bytes. */
export const bytesIn = (api: CApi, buffer: Buffer): Uint8Array => {
  const { data, length } = api.TF_GetBuffer(buffer)
  const result = new Uint8Array(Number(length))
  if (result.length > 0) api.memcpy(result, data, result.length)
  return result
}
