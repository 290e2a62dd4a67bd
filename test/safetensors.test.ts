import { assert, describe, it } from "@effect/vitest"
import { float32, int32, uint8 } from "../src/Tensor/HostTensor.ts"
import { decode, encode, SafetensorsError } from "../src/Tensor/Safetensors.ts"

const tensors = {
  bytes: uint8([3], Uint8Array.of(1, 2, 255)),
  weight: float32([2, 2], Float32Array.of(1, -2.5, 1e-30, 3)),
  count: int32([], Int32Array.of(-7))
}

/** A file with a header and values of the test's own. */
const file = (header: unknown, values: ReadonlyArray<number>): Uint8Array => {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Uint8Array.from(values)])
}

const zeros = (count: number): ReadonlyArray<number> => Array(count).fill(0)

const one = (dtype: string, shape: ReadonlyArray<number>, values: ReadonlyArray<number>) =>
  decode(file({ x: { dtype, shape, data_offsets: [0, values.length] } }, values)).tensors.x

const refusal = (bytes: Uint8Array): string => {
  try {
    decode(bytes)
  } catch (cause) {
    assert.instanceOf(cause, SafetensorsError)
    return cause.message
  }
  return assert.fail("it was read")
}

describe("safetensors", () => {
  it("gives back what was written, and strings beside it", () => {
    const bytes = Buffer.concat(encode(tensors, { step: "12" }))
    assert.deepStrictEqual(decode(bytes), { tensors, metadata: { step: "12" } })
    // From the middle of a larger buffer too, as Node hands out small files.
    const padded = Buffer.concat([Uint8Array.of(0), bytes])
    assert.deepStrictEqual(decode(padded.subarray(1)).tensors, tensors)
  })

  it("aligns the values, larger elements first", () => {
    const [start, ...values] = encode(tensors)
    assert.strictEqual(start.length % 8, 0)
    assert.deepStrictEqual(
      values.map(({ length }) => length),
      [16, 4, 3]
    )
  })

  it("reads the other floating-point widths and long integers", () => {
    assert.deepStrictEqual(
      one("F16", [4], [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c]).data,
      Float32Array.of(1, -2, 2 ** -24, Infinity)
    )
    assert.deepStrictEqual(one("BF16", [2], [0x80, 0x3f, 0x20, 0xc0]).data, Float32Array.of(1, -2.5))
    const double = Array.from(new Uint8Array(Float64Array.of(0.5).buffer))
    assert.deepStrictEqual(one("F64", [], double), float32([], Float32Array.of(0.5)))
    const long = Array.from(new Uint8Array(BigInt64Array.of(-3n).buffer))
    assert.deepStrictEqual(one("I64", [1], long), int32([1], Int32Array.of(-3)))
  })

  it("says what is wrong with a file that is none, or not whole", () => {
    const bytes = Buffer.concat(encode(tensors))
    assert.match(refusal(bytes.subarray(0, 5)), /shorter than its header/)
    assert.match(refusal(bytes.subarray(0, 40)), /cut off/)
    assert.match(refusal(bytes.subarray(0, bytes.length - 1)), /cut off: bytes/)
    assert.match(refusal(Buffer.from("<!doctype html><title>Not found</title>")), /not a safetensors file/)
    assert.match(refusal(file("{x", [])), /not a JSON object/)
    assert.match(
      refusal(file({ x: { dtype: "F32", shape: [2], data_offsets: [0, 4] } }, [0, 0, 0, 0])),
      /x has a wrong size/
    )
    assert.match(
      refusal(file({ x: { dtype: "C64", shape: [1], data_offsets: [0, 8] } }, zeros(8))),
      /type C64/
    )
    assert.match(refusal(file({ x: { dtype: "F32" } }, [])), /wrong entry for x/)
  })

  it("reads each byte once: nothing overlaps, and nothing is left out", () => {
    const at = (from: number, to: number) => ({ dtype: "U8", shape: [to - from], data_offsets: [from, to] })
    const order = /does not begin where the tensor before it ends/
    assert.match(refusal(file({ a: at(0, 8), b: at(0, 8) }, zeros(8))), order)
    assert.match(refusal(file({ a: at(0, 8), b: at(4, 8) }, zeros(8))), order)
    assert.match(refusal(file({ a: at(0, 4), b: at(6, 8) }, zeros(8))), order)
    assert.match(refusal(file({ a: at(2, 8) }, zeros(8))), order)
    assert.match(refusal(file({ a: { ...at(0, 4), data_offsets: [-4, 0] } }, zeros(4))), order)
    assert.match(refusal(file({ a: at(0, 4) }, zeros(8))), /bytes after its last tensor: 4$/)
    assert.match(refusal(file({}, zeros(1))), /bytes after its last tensor: 1$/)
    const { tensors } = decode(file({ b: at(4, 8), empty: at(4, 4), a: at(0, 4) }, [1, 2, 3, 4, 5, 6, 7, 8]))
    assert.deepStrictEqual(
      Object.entries(tensors).map(([name, { data }]) => [name, ...data]),
      [["a", 1, 2, 3, 4], ["empty"], ["b", 5, 6, 7, 8]]
    )
  })

  it("takes a header that is an object, of a length that the format allows, with texts as metadata", () => {
    for (const header of ["[]", "null", '"x"', ' {"x":1}']) {
      assert.match(refusal(file(header, [])), /not a JSON object/)
    }
    const long = Buffer.alloc(16)
    long.writeBigUInt64LE(2n ** 60n)
    assert.match(refusal(long), /header is too long/)
    assert.deepStrictEqual(decode(file({ __metadata__: null }, [])), { tensors: {}, metadata: {} })
    for (const metadata of [1, [], { a: 1 }]) {
      assert.match(refusal(file({ __metadata__: metadata }, [])), /__metadata__/)
    }
    const { tensors } = decode(file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [7]))
    assert.deepStrictEqual(Object.keys(tensors), ["__proto__"])
  })
})
