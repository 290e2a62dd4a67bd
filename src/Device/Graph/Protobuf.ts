/** Protocol buffers' wire format: fields with numbers, without names or types. */

/** A field as it stands in a message: a number, four or eight bytes, or bytes of a given length. */
export interface Field {
  readonly number: number
  readonly value: bigint | Uint8Array
}

const VARINT = 0
const EIGHT_BYTES = 1
const LENGTH = 2
const FOUR_BYTES = 5

/** A number in base 128, lowest digits first, the top bit of a byte saying that more follow. */
const varint = (value: bigint): Array<number> => {
  const digits: Array<number> = []
  let rest = BigInt.asUintN(64, value)
  while (rest > 127n) {
    digits.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  digits.push(Number(rest))
  return digits
}

const key = (field: number, wire: number): Array<number> => varint(BigInt((field << 3) | wire))

/** An integer, a boolean or an enumeration. */
export const number = (field: number, value: number | bigint): Uint8Array =>
  Uint8Array.from([...key(field, VARINT), ...varint(BigInt(value))])

/** A floating-point number of four bytes. */
export const float = (field: number, value: number): Uint8Array =>
  Buffer.concat([Uint8Array.from(key(field, FOUR_BYTES)), new Uint8Array(Float32Array.of(value).buffer)])

/** A floating-point number of eight bytes. */
export const double = (field: number, value: number): Uint8Array =>
  Buffer.concat([Uint8Array.from(key(field, EIGHT_BYTES)), new Uint8Array(Float64Array.of(value).buffer)])

/** Text, bytes or a message. */
export const bytes = (
  field: number,
  contents: string | Uint8Array | ReadonlyArray<Uint8Array>
): Uint8Array => {
  const parts =
    typeof contents === "string"
      ? [Buffer.from(contents)]
      : contents instanceof Uint8Array
        ? [contents]
        : contents
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Uint8Array.from([...key(field, LENGTH), ...varint(BigInt(length))]), ...parts])
}

/** The fields of a message, in their order. Bytes are views of the message's. */
export const fields = (message: Uint8Array): ReadonlyArray<Field> => {
  const result: Array<Field> = []
  let at = 0
  const readVarint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const readBytes = (length: number): Uint8Array => {
    at += length
    return message.subarray(at - length, at)
  }
  while (at < message.length) {
    const header = Number(readVarint())
    const wire = header & 7
    const value =
      wire === VARINT
        ? readVarint()
        : readBytes(
            wire === LENGTH ? Number(readVarint()) : wire === FOUR_BYTES ? 4 : wire === EIGHT_BYTES ? 8 : 0
          )
    result.push({ number: header >> 3, value })
  }
  return result
}

/** The values of one field, where it is bytes. */
export const bytesOf = (message: Uint8Array, field: number): ReadonlyArray<Uint8Array> =>
  fields(message).flatMap(({ number, value }) =>
    number === field && value instanceof Uint8Array ? [value] : []
  )

/** The values of one field, where it is integers: one each, or several together (packed). */
export const numbersOf = (message: Uint8Array, field: number): ReadonlyArray<bigint> =>
  fields(message).flatMap(({ number, value }) => {
    if (number !== field) return []
    return typeof value === "bigint" ? [value] : packed(value)
  })

const packed = (values: Uint8Array): ReadonlyArray<bigint> => {
  const result: Array<bigint> = []
  let value = 0n
  let shift = 0n
  for (const byte of values) {
    value |= BigInt(byte & 127) << shift
    shift += 7n
    if (byte < 128) {
      result.push(value)
      value = 0n
      shift = 0n
    }
  }
  return result
}

export const textOf = (value: Uint8Array): string => Buffer.from(value).toString("utf8")
