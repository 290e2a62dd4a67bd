import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TensorRecord } from "../src/Tensor/HostTensor.ts"
import { readTensorFile } from "../src/Tensor/ReadTensors.ts"
import { temporaryFolder } from "./support/Run.ts"

const fixtures = path.join(import.meta.dirname, "fixtures", "torch")
const fixture = (name: string): string => path.join(fixtures, name)

/** Shapes and values as PyTorch says them. */
const values: Readonly<Record<string, readonly [ReadonlyArray<number>, ReadonlyArray<number>]>> = JSON.parse(
  fs.readFileSync(fixture("values.json"), "utf8")
)

const agree = (tensors: TensorRecord, names: ReadonlyArray<string>, tolerance = 0) => {
  assert.sameMembers(Object.keys(tensors), [...names])
  for (const name of names) {
    const [shape, numbers] = values[name]
    assert.deepStrictEqual(tensors[name].shape, shape, name)
    assert.strictEqual(tensors[name].data.length, numbers.length)
    for (const [i, number] of numbers.entries())
      assert.isAtMost(Math.abs(tensors[name].data[i] - number), tolerance * Math.abs(number), `${name} ${i}`)
  }
}

const state = ["conv.weight", "conv.bias", "bn.num_batches_tracked"]

/** What is said of a file with these contents. */
const refusal = (contents: Uint8Array) =>
  Effect.gen(function* () {
    const file = path.join(yield* temporaryFolder, "weights.pth")
    fs.writeFileSync(file, contents)
    const { message } = yield* Effect.flip(readTensorFile(file))
    assert.isTrue(message.startsWith(`${file}: `), message)
    assert.notInclude(message, "\n")
    return message.slice(file.length + 2)
  })

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1")

/** A file with the pickle of a stored archive replaced; its length stays. */
const legacy = (pickle: string): Buffer => {
  const whole = fs.readFileSync(fixture("legacy.pth"))
  const at = whole.indexOf("ccollections")
  return Buffer.concat([whole.subarray(0, at - 2), latin1(pickle)])
}

describe("a file of torch.save", () => {
  it.effect("is read in both forms, float32 and narrower", () =>
    Effect.gen(function* () {
      for (const [name, tolerance] of [
        ["zip.pth", 0],
        ["legacy.pth", 0],
        ["half.pth", 2 ** -11],
        ["bfloat16.pth", 2 ** -8]
      ] as const) {
        const { tensors, within } = yield* readTensorFile(fixture(name))
        agree(tensors, state, tolerance)
        assert.strictEqual(within, "")
      }
    })
  )

  it.effect("may hold tensors that share numbers, or that do not lie in row-major order", () =>
    Effect.gen(function* () {
      const { tensors } = yield* readTensorFile(fixture("views.pth"))
      agree(tensors, ["channelsLast", "turned", "row", "tied", "empty", "scalar", "double"])
    })
  )

  it.effect("may be a whole checkpoint, of which the weights are taken", () =>
    Effect.gen(function* () {
      const { tensors, within } = yield* readTensorFile(fixture("checkpoint.pth"))
      assert.strictEqual(within, "state_dict")
      const named = Object.entries(tensors).map(([name, tensor]) => [name.replace(/^module\./, ""), tensor])
      agree(Object.fromEntries(named), ["conv.weight", "conv.bias"])
      const averages = yield* readTensorFile(fixture("ema.pth"))
      assert.strictEqual(averages.within, "state_dict_ema")
      agree(averages.tensors, state)
    })
  )

  it.effect("is refused in one line where it refers to anything but tensors, and nothing is called", () =>
    Effect.gen(function* () {
      const whole = yield* refusal(fs.readFileSync(fixture("module.pth")))
      assert.match(
        whole,
        /^the pickle refers to "torch\.nn\.modules\.container\.Sequential", which is refused: /
      )
      const file = path.join(yield* temporaryFolder, "called")
      const call = `\x80\x02cos\nsystem\nq\0X${String.fromCharCode(file.length + 6)}\0\0\0touch ${file}\x85R.`
      assert.match(yield* refusal(legacy(call)), /^the pickle refers to "os\.system", which is refused/)
      assert.isFalse(fs.existsSync(file))
      const evaluated = "\x80\x02c__builtin__\neval\nX\x01\0\0\x001\x85R."
      assert.match(yield* refusal(legacy(evaluated)), /^the pickle refers to "__builtin__\.eval"/)
    })
  )

  it.effect(
    "is refused in one line where it is cut off, other than PyTorch writes, or claims more than it is",
    () =>
      Effect.gen(function* () {
        const replaced = (name: string, from: string, to: string) =>
          latin1(fs.readFileSync(fixture(name)).toString("latin1").replace(from, to))
        const shape = "(K\x02K\x03K\x03K\x03t"
        const strides = "(K\x1bK\x09K\x03K\x01t"
        const huge = "(J\xff\xff\xff\x7fK\x01K\x01K\x01t"
        assert.include(replaced("legacy.pth", shape, huge).toString("latin1"), huge)
        const cases: ReadonlyArray<readonly [Uint8Array, RegExp]> = [
          [replaced("zip.pth", shape, "(K\x03K\x03K\x03K\x03t"), /^conv\.weight is not all there$/],
          [replaced("zip.pth", strides, "(K\x1bK\x09K\x03K\x07t"), /^conv\.weight is not all there$/],
          [replaced("legacy.pth", shape, huge), /^its tensors are many times larger than the file$/],
          [
            replaced("legacy.pth", "little_endianq\x02\x88", "little_endianq\x02\x89"),
            /^its numbers are big-endian$/
          ],
          [legacy("\x80\x02]."), /^the pickle is cut off$/],
          [legacy("\x80\x02].\x80\x02]."), /^it holds no record of tensors$/],
          [
            legacy(`\x80\x02${"](".repeat(600_000)}.`),
            /^the pickle has more operations than a checkpoint of its kind$/
          ],
          // A record that holds itself.
          [legacy("\x80\x02}q\0X\x05\0\0\0modelh\0s.\x80\x02]."), /^it holds no record of tensors$/],
          [fs.readFileSync(fixture("zip.pth")).subarray(0, 900), /./],
          [latin1("\x80\x02}."), /^it is a Python pickle, but not one of torch\.save$/],
          [latin1(`PK\x05\x06${"\0".repeat(18)}`), /./],
          [latin1(`PK\x03\x04${"\0".repeat(300)}`), /./]
        ]
        for (const [contents, expected] of cases) assert.match(yield* refusal(contents), expected)
      })
  )

  it.effect("ends with a line wherever the older form is cut, and whichever byte is wrong", () =>
    Effect.gen(function* () {
      const whole = fs.readFileSync(fixture("legacy.pth"))
      const file = path.join(yield* temporaryFolder, "weights.pth")
      const attempt = (contents: Uint8Array) =>
        Effect.suspend(() => {
          fs.writeFileSync(file, contents)
          return Effect.match(readTensorFile(file), {
            onFailure: ({ message }) => message,
            onSuccess: () => undefined
          })
        })
      for (let length = 20; length < whole.length; length += 7) {
        assert.isString(yield* attempt(whole.subarray(0, length)), `${length} bytes`)
      }
      for (let i = 0; i < whole.length; i += 3) {
        const wrong = Uint8Array.from(whole)
        wrong[i] ^= 0x11
        const said = yield* attempt(wrong)
        if (said !== undefined) assert.notInclude(said, "\n")
      }
    })
  )
})
