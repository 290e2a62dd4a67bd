/** TensorFlow's buffers: encoded messages that go into and come out of the C API. */
import type { Buffer, CApi } from "./CApi.ts"

/** A copy of a buffer's bytes. */
export const bytesIn = (api: CApi, buffer: Buffer): Uint8Array => {
  const { data, length } = api.TF_GetBuffer(buffer)
  const result = new Uint8Array(Number(length))
  if (result.length > 0) api.memcpy(result, data, result.length)
  return result
}
