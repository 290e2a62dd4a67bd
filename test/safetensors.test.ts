import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sha256 } from "../src/Platform/Hash.ts"
import { float32, int32, uint8 } from "../src/Tensor/HostTensor.ts"
import { readSafetensors } from "../src/Tensor/ReadSafetensors.ts"
import { decode, encode, SafetensorsError } from "../src/Tensor/Safetensors.ts"
import { temporary } from "./support/Runs.ts"

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
    for (const header of ["[]", "null", '"x"', ' {"x":1']) {
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

/** Header and values as the format's own tests have them, the length before them. */
const raw = (header: string | Uint8Array, rest: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, Buffer.from(header), rest])
}

const i32 = (shape: string, offsets = "[0,16]") =>
  `{"test":{"dtype":"I32","shape":${shape},"data_offsets":${offsets}}}`

// https://github.com/huggingface/safetensors, the tests of safetensors/src/tensor.rs and bindings/python/tests.
describe("the cases of the format's own tests", () => {
  const zeros = new Uint8Array(16)

  it("are read: scalars, tensors without elements, and white space around the header", () => {
    assert.deepStrictEqual(decode(raw(i32("[]", "[0,4]"), new Uint8Array(4))).tensors, {
      test: int32([], Int32Array.of(0))
    })
    assert.deepStrictEqual(decode(raw(i32("[2,2]"), zeros)).tensors, {
      test: int32([2, 2], new Int32Array(4))
    })
    assert.deepStrictEqual(decode(raw(i32("[2,0]", "[0, 0]"))).tensors, {
      test: int32([2, 0], new Int32Array(0))
    })
    for (const header of ["{}", "{}\r \t\n", "\t\n{}\r ", "{}      "]) {
      assert.deepStrictEqual(decode(raw(header)), { tensors: {}, metadata: {} })
    }
    const withMetadata = `{"__metadata__":{"framework":"pt"},${i32("[2,2]").slice(1)}       `
    assert.deepStrictEqual(decode(raw(withMetadata, zeros)).metadata, { framework: "pt" })
  })

  it("are refused: what overlaps, overflows, is cut off, is followed by something, or is no header", () => {
    const overlapping = Array.from({ length: 10 }, (_, i) =>
      i32("[2,2]").slice(1, -1).replace("test", `weight_${i}`)
    )
    const cases: ReadonlyArray<readonly [bytes: Uint8Array, why: RegExp]> = [
      [raw(`{${overlapping.join(",")}}`, zeros), /weight_1 does not begin where the tensor before it ends/],
      [
        raw(i32("[2,2]"), Buffer.concat([zeros, Buffer.from("a rest of another file")])),
        /bytes after its last/
      ],
      [raw(i32("[2,2]"), zeros.subarray(2)), /cut off: test is not all there/],
      [Buffer.concat([Buffer.from([60, 0, 0, 0, 0, 255, 255, 255]), Buffer.from(i32("[2,2]"))]), /too long/],
      [new Uint8Array(0), /shorter than its header/],
      [Buffer.from([60, 0, 0, 0, 0, 0, 0, 0]), /its header does not end/],
      [raw(Uint8Array.of(255)), /not a JSON object/],
      [raw(Buffer.from([...Buffer.from('{"'), 255, ...Buffer.from('":1}')])), /not a JSON object/],
      [raw("{"), /not a JSON object/],
      [raw(i32("[2,2]", "[0, 4]"), zeros.subarray(0, 4)), /test has a wrong size/],
      [raw(i32("[2,18446744073709551614]"), zeros), /wrong entry for test/],
      [raw(i32("[2,9223372036854775807]"), zeros), /wrong entry for test/],
      [raw(i32("[4503599627370496,4503599627370496]"), zeros), /wrong size/],
      [raw(i32("[4503599627370496,4503599627370496,0]", "[0,0]")), /wrong size/]
    ]
    for (const [bytes, why] of cases) assert.match(refusal(bytes), why)
  })

  it("are written: aligned, padded with spaces, and the larger elements first", () => {
    const values = Float32Array.of(0, 1, 2, 3, 4, 5)
    const text = '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}'
    assert.deepStrictEqual(
      Buffer.concat(encode({ "attn.0": float32([1, 2, 3], values) })),
      raw(text.padEnd(64), new Uint8Array(values.buffer))
    )
    assert.deepStrictEqual(Buffer.concat(encode({})), raw("{}".padEnd(8)))
    const metadata = '{"__metadata__":{"framework":"pt"}}'
    assert.deepStrictEqual(Buffer.concat(encode({}, { framework: "pt" })), raw(metadata.padEnd(40)))
  })

  it("of integers that an int32 does not hold are refused instead of changed", () => {
    const long = new Uint8Array(BigInt64Array.of(2n ** 31n).buffer)
    const header = '{"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}'
    assert.match(refusal(raw(header, long)), /integers of more than 32 bits/)
  })
})

describe("readSafetensors", () => {
  it.live(
    "names what is not a safetensors file for what it is, and reads no values before the header fits",
    () =>
      Effect.gen(function* () {
        const place = path.join(yield* temporary, "weights.safetensors")
        const whole = Buffer.concat(encode(tensors))
        const cases: ReadonlyArray<readonly [contents: string | Uint8Array, why: string]> = [
          ["", "it is an empty file, not a safetensors file"],
          [new Uint8Array(99), "it is a file of zeros, not a safetensors file"],
          [
            "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 410000000\n",
            "it is a Git LFS pointer, which stands for a file that was not fetched, not a safetensors file"
          ],
          ["\n<!DOCTYPE html><html>Access to this model is restricted", "it is a web page (HTML), not a"],
          ['<html lang="en"><head>GitHub', "it is a web page (HTML), not a"],
          ['{"error":"Repository not found"}', "it is a JSON text, not a safetensors file"],
          [
            "PK\x03\x04 archive/data.pkl",
            "it is a zip archive, as PyTorch's .pth and NumPy's .npz are, not a"
          ],
          [
            Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46),
            "it is a Python pickle, as PyTorch's older"
          ],
          [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), "it is a gzip archive, not a safetensors file"],
          [Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), "it is an HDF5 file, as Keras's .h5 are, not a"],
          [whole.subarray(0, whole.length - 1), "it is cut off: bytes is not all there"],
          [whole.subarray(0, 40), "it is cut off: its header does not end"]
        ]
        for (const [contents, why] of cases) {
          fs.writeFileSync(place, contents)
          const { message } = yield* Effect.flip(readSafetensors(place))
          assert.isTrue(message.startsWith(`${place}: `))
          assert.include(message, why)
        }
        // Two gigabytes that no header speaks of are not read.
        fs.writeFileSync(place, whole)
        fs.truncateSync(place, 2 ** 31 - 1)
        assert.match(
          (yield* Effect.flip(readSafetensors(place))).message,
          /: it has bytes after its last tensor/
        )
        fs.writeFileSync(place, whole)
        const read = yield* readSafetensors(place)
        assert.deepStrictEqual(read.tensors, tensors)
        assert.strictEqual(read.sha256, sha256([whole]))
      })
  )
})
