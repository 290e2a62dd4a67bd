import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { makeCanvas } from "../../src/Augment/Kernel/Canvas.ts"
import { type Operation, operate } from "../../src/Augment/Kernel/Operation.ts"
import { decode } from "../../src/Tensor/Safetensors.ts"

interface Case {
  readonly key: string
  readonly op: Operation
  readonly magnitude: number
}

const groupBy = <A>(items: ReadonlyArray<A>, keyOf: (item: A) => string): Map<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

/** What an operation makes of an image. */
const result = (
  pixels: Uint8Array,
  [height, width]: readonly [number, number],
  operation: Operation,
  magnitude: number,
  fill: readonly [number, number, number]
): Uint8Array => {
  const canvas = makeCanvas(height, width)
  canvas.pixels.set(pixels)
  operate(canvas, operation, magnitude, fill)
  return canvas.pixels
}

describe("operations", () => {
  const { metadata, tensors } = decode(
    readFileSync(new URL("../fixtures/augment-ops.safetensors", import.meta.url))
  )
  const cases: ReadonlyArray<Case> = JSON.parse(metadata.cases)
  const tables = groupBy(cases, ({ key, op }) => (key.startsWith("RandAugment:") ? `RandAugment ${op}` : op))

  it("are all in the golden file", () => {
    assert.strictEqual(cases.length, Object.keys(tensors).length - 1)
    assert.strictEqual(tables.size, 28)
  })

  it.each([...tables])("%s equals Pillow's, byte by byte, at every magnitude", (_, cases) => {
    for (const { key, magnitude, op } of cases) {
      const expected = tensors[key].data as Uint8Array
      for (let image = 0; image < 4; image++) {
        const pixels = (tensors.input.data as Uint8Array).subarray(image * 3072, (image + 1) * 3072)
        assert.deepStrictEqual(
          result(pixels, [32, 32], op, magnitude, [0, 0, 0]),
          expected.subarray(image * 3072, (image + 1) * 3072),
          `${key}, image ${image}`
        )
      }
    }
  })
})

type SizeCase = readonly [
  height: number,
  width: number,
  low: number,
  high: number,
  operation: Operation,
  magnitude: number,
  fill: readonly [number, number, number],
  digest: string
]

describe("operations on images of other sizes", () => {
  const { cases }: { readonly cases: ReadonlyArray<SizeCase> } = JSON.parse(
    readFileSync(new URL("./fixtures/operations.json", import.meta.url), "utf8")
  )

  /** The image that operations.py makes: a linear congruential generator's values. */
  const image = (height: number, width: number, low: number, high: number): Uint8Array => {
    let state = height * 1000 + width
    return Uint8Array.from({ length: height * width * 3 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return low + ((state >>> 16) % (high - low + 1))
    })
  }

  it.each([...groupBy(cases, ([height, width]) => `${height}×${width}`)])(
    "%s: equal torchvision's, also with a fill colour, low contrast or one colour",
    (_, cases) => {
      assert.isAtLeast(cases.length, 100)
      for (const [height, width, low, high, operation, magnitude, fill, digest] of cases) {
        const pixels = result(image(height, width, low, high), [height, width], operation, magnitude, fill)
        assert.strictEqual(
          createHash("sha256").update(pixels).digest("hex").slice(0, 16),
          digest,
          `${operation} ${magnitude} of values in [${low}, ${high}] with fill ${fill}`
        )
      }
    }
  )
})
