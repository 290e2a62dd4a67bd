/** The memory of a typed array, byte by byte, without a copy. */
export const asBytes = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
