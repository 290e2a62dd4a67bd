import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { crop, flipHorizontally, type PaddingMode, padded } from "../../src/Augment/Kernel/Crop.ts"
import { cutout, erase } from "../../src/Augment/Kernel/Erase.ts"
import { OPERATIONS, type Operation, operate } from "../../src/Augment/Kernel/Operation.ts"
import { type Draws, draws } from "../../src/Random.ts"
import { AnyImage, canvasOf, changed, int, number, pixelsOf } from "./support.ts"

const FILL = [9, 8, 7] as const
const Mode = Schema.Literals(["zero", "edge", "reflect"])

/** Draws that give these integers, in turn. */
const given = (...values: ReadonlyArray<number>): Draws => {
  const left = [...values]
  return { ...draws(0, "unused"), int: () => left.shift()! }
}

const channel = (pixels: Uint8Array, c: number) => pixels.filter((_, i) => i % 3 === c)

describe("an operation", () => {
  const Any = { image: AnyImage, operation: Schema.Literals(OPERATIONS), strength: number(-1, 1) }
  const scales: Partial<Record<Operation, (strength: number) => number>> = {
    TranslateX: (strength) => 50 * strength,
    TranslateY: (strength) => 50 * strength,
    Rotate: (strength) => 720 * strength,
    Posterize: (strength) => 8 * Math.abs(strength),
    Solarize: (strength) => 256 * Math.abs(strength),
    SolarizeAdd: (strength) => 255 * strength
  }

  it.prop("writes every byte of an image of the same size, and only depends on it", Any, (input) => {
    const { image, operation, strength } = input
    const magnitude = scales[operation]?.(strength) ?? strength
    const results = [111, 222].map((spare) => {
      const canvas = canvasOf(image)
      canvas.spare.fill(spare)
      operate(canvas, operation, magnitude, FILL)
      assert.strictEqual(canvas.pixels.length, image.height * image.width * 3)
      assert.notStrictEqual(canvas.pixels, canvas.spare)
      return canvas.pixels
    })
    assert.deepStrictEqual(results[0], results[1])
  })

  it.prop("of no magnitude is the identity", { image: AnyImage }, ({ image }) => {
    for (const operation of [
      "Identity",
      "ShearX",
      "ShearY",
      "TranslateX",
      "TranslateY",
      "Rotate",
      "Brightness",
      "Color",
      "Contrast",
      "Sharpness",
      "SolarizeAdd"
    ] as const) {
      const same = changed(image, (canvas) => operate(canvas, operation, 0, FILL))
      assert.deepStrictEqual(same, pixelsOf(image), operation)
    }
    for (const [operation, magnitude] of [
      ["Posterize", 8],
      ["Solarize", 256],
      ["Rotate", 360]
    ] as const) {
      const same = changed(image, (canvas) => operate(canvas, operation, magnitude, FILL))
      assert.deepStrictEqual(same, pixelsOf(image), operation)
    }
  })

  it.prop("Invert, done twice, is the identity", { image: AnyImage }, ({ image }) => {
    const twice = changed(image, (canvas) => {
      operate(canvas, "Invert", 0, FILL)
      operate(canvas, "Invert", 0, FILL)
    })
    assert.deepStrictEqual(twice, pixelsOf(image))
  })

  it.prop(
    "Rotate by a quarter, done four times, is the identity of a square",
    { image: AnyImage },
    (input) => {
      const square = { ...input.image, width: input.image.height }
      const once = changed(square, (canvas) => operate(canvas, "Rotate", 90, FILL))
      assert.deepStrictEqual(
        once.subarray(0, 3),
        pixelsOf(square).subarray(square.width * 3 - 3, square.width * 3)
      )
      const turned = changed(square, (canvas) => {
        for (let i = 0; i < 4; i++) operate(canvas, "Rotate", 90, FILL)
      })
      assert.deepStrictEqual(turned, pixelsOf(square))
    }
  )

  it.prop(
    "Translate there and back restores what stayed in the image, and fills the rest",
    { image: AnyImage, dx: int(-45, 45), dy: int(-45, 45) },
    ({ dx, dy, image }) => {
      const before = pixelsOf(image)
      const after = changed(image, (canvas) => {
        operate(canvas, "TranslateX", dx, FILL)
        operate(canvas, "TranslateY", dy, FILL)
        operate(canvas, "TranslateX", -dx, FILL)
        operate(canvas, "TranslateY", -dy, FILL)
      })
      for (let y = 0; y < image.height; y++)
        for (let x = 0; x < image.width; x++) {
          const stayed = y + dy >= 0 && y + dy < image.height && x + dx >= 0 && x + dx < image.width
          const at = (y * image.width + x) * 3
          assert.deepStrictEqual(
            [...after.subarray(at, at + 3)],
            stayed ? [...before.subarray(at, at + 3)] : [...FILL]
          )
        }
    }
  )

  it.prop(
    "Equalize and AutoContrast keep the order of values in each channel",
    { image: AnyImage },
    (input) => {
      for (const operation of ["Equalize", "AutoContrast"] as const) {
        const before = pixelsOf(input.image)
        const after = changed(input.image, (canvas) => operate(canvas, operation, 0, FILL))
        for (const c of [0, 1, 2]) {
          const mapped = new Map<number, number>()
          const results = channel(after, c)
          channel(before, c).forEach((value, i) => {
            assert.strictEqual(mapped.get(value) ?? results[i], results[i])
            mapped.set(value, results[i])
          })
          const inOrder = [...mapped].sort(([a], [b]) => a - b).map(([, result]) => result)
          assert.isTrue(inOrder.every((value, i) => i === 0 || inOrder[i - 1] <= value))
          if (operation === "AutoContrast" && inOrder.length > 1) {
            // Pillow cuts 254.99… too.
            assert.strictEqual(inOrder[0], 0)
            assert.isAtLeast(inOrder.at(-1)!, 254)
          }
        }
      }
    }
  )
})

describe("cropping and mirroring", () => {
  /** Coordinate by coordinate, as padding is defined. */
  const slowly = (image: AnyImage, top: number, left: number, mode: PaddingMode): Uint8Array => {
    const { height, width } = image
    const pixels = pixelsOf(image)
    const line = (at: number, size: number): number => {
      let i = at
      if (mode === "edge") return Math.min(size - 1, Math.max(0, i))
      if (mode === "zero") return i >= 0 && i < size ? i : -1
      while (i < 0 || i >= size) i = size === 1 ? 0 : i < 0 ? -i : 2 * (size - 1) - i
      return i
    }
    return Uint8Array.from({ length: pixels.length }, (_, i) => {
      const y = line(Math.floor(i / 3 / width) + top, height)
      const x = line((Math.floor(i / 3) % width) + left, width)
      return y < 0 || x < 0 ? 0 : pixels[(y * width + x) * 3 + (i % 3)]
    })
  }

  it.prop(
    "a window shows the padded image, wherever it lies",
    { image: AnyImage, top: int(-50, 50), left: int(-50, 50), mode: Mode },
    ({ image, left, mode, top }) => {
      assert.deepStrictEqual(
        changed(image, (canvas) => crop(canvas, top, left, mode)),
        slowly(image, top, left, mode)
      )
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "a window that is not moved is the identity",
    { image: AnyImage, mode: Mode },
    ({ image, mode }) => {
      assert.deepStrictEqual(
        changed(image, (canvas) => crop(canvas, 0, 0, mode)),
        pixelsOf(image)
      )
    }
  )

  it("reflection does not repeat the border, as in NumPy", () => {
    const line = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4].map((at) => padded(at, 3, "reflect"))
    assert.deepStrictEqual(line, [1, 0, 1, 2, 1, 0, 1, 2, 1, 0])
  })

  it.prop("mirroring reverses each row, and twice is the identity", { image: AnyImage }, ({ image }) => {
    const before = pixelsOf(image)
    const canvas = canvasOf(image)
    flipHorizontally(canvas)
    const { height, width } = image
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const from = (y * width + width - 1 - x) * 3
        const to = (y * width + x) * 3
        assert.deepStrictEqual(canvas.pixels.slice(to, to + 3), before.slice(from, from + 3))
      }
    flipHorizontally(canvas)
    assert.deepStrictEqual(canvas.pixels, before)
  })
})

describe("hiding", () => {
  it.prop(
    "Cutout changes exactly the box around its centre, cut at the border",
    { image: AnyImage, length: int(1, 60), y: int(0, 1000), x: int(0, 1000) },
    (input) => {
      const image = { ...input.image, range: Math.min(input.image.range, 250) }
      const { height, width } = image
      const y = input.y % height
      const x = input.x % width
      const half = Math.floor(input.length / 2)
      const before = pixelsOf(image)
      const after = changed(image, (canvas) => cutout(canvas, input.length, given(y, x), [253, 254, 255]))
      for (let i = 0; i < before.length; i++) {
        const row = Math.floor(i / 3 / width)
        const column = Math.floor(i / 3) % width
        const hidden = row >= y - half && row < y + half && column >= x - half && column < x + half
        assert.strictEqual(after[i], hidden ? 253 + (i % 3) : before[i])
      }
    }
  )

  it.prop(
    "random erasing hides one box within the image, of the area and shape that were asked for",
    { image: AnyImage, low: number(0.02, 0.9), high: number(0.02, 0.9), seed: int(0, 10_000) },
    (input) => {
      const image = { ...input.image, range: Math.min(input.image.range, 250) }
      const scale = [Math.min(input.low, input.high), Math.max(input.low, input.high)] as const
      const before = pixelsOf(image)
      const after = changed(image, (canvas) =>
        erase(canvas, { scale, ratio: [0.5, 2] }, draws(input.seed, "erase"), [253, 254, 255])
      )
      const rows = new Set<number>()
      const columns = new Set<number>()
      after.forEach((value, i) => {
        if (value === before[i]) return
        assert.strictEqual(value, 253 + (i % 3))
        rows.add(Math.floor(i / 3 / image.width))
        columns.add(Math.floor(i / 3) % image.width)
      })
      const [h, w] = [rows.size, columns.size]
      assert.strictEqual(after.filter((value, i) => value !== before[i]).length, h * w * 3)
      if (h === 0) return
      // Sides are rounded to whole pixels.
      const area = image.height * image.width
      assert.isAtLeast((h + 0.5) * (w + 0.5), scale[0] * area)
      assert.isAtMost((h - 0.5) * (w - 0.5), scale[1] * area)
      assert.isAtLeast((h + 0.5) / (w - 0.5), 0.5)
      assert.isAtMost((h - 0.5) / (w + 0.5), 2)
    }
  )
})
