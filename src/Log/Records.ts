/**
 * TFRecord: records in a file, each with its length and the checksums of both (CRC-32C, masked, as TensorFlow's
 * `record_writer.cc` has them).
 */

/** CRC-32C (Castagnoli) of each byte: the polynomial 0x1EDC6F41, its bits in reverse. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest
})

export const crc32c = (bytes: Uint8Array): number => {
  let rest = 0xffffffff
  for (const byte of bytes) rest = TABLE[(rest ^ byte) & 255] ^ (rest >>> 8)
  return ~rest >>> 0
}

/** A checksum of bytes that have checksums in them would be weak: it is turned and moved. */
const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** A record as it stands in the file. */
export const record = (data: Uint8Array): Uint8Array => {
  const framed = Buffer.alloc(data.length + 16)
  framed.writeBigUInt64LE(BigInt(data.length), 0)
  framed.writeUInt32LE(masked(framed.subarray(0, 8)), 8)
  framed.set(data, 12)
  framed.writeUInt32LE(masked(data), data.length + 12)
  return framed
}
