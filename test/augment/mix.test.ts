import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { drawCutMix, type Mixing, mix } from "../../src/Augment/Kernel/Mix.ts"
import { epochBatches } from "../../src/Augment.ts"
import { draws } from "../../src/Random.ts"
import { AnyImage, datasetOf, int, number, pixelsOf } from "./support.ts"

/** Two images of one size, and the first mixed with the second. */
const mixed = (image: AnyImage, mixing: Mixing) => {
  const a = pixelsOf(image)
  const b = pixelsOf({ ...image, seed: image.seed + 1 })
  const from = Uint8Array.from([...a, ...b])
  const to = new Uint8Array(from.length).fill(77)
  mix(from, to, image, 0, 1, mixing)
  assert.isTrue(
    to.subarray(a.length).every((value) => value === 77),
    "wrote into the other place"
  )
  return { a, b, result: to.subarray(0, a.length) }
}

describe("Mixup", () => {
  it.prop(
    "is λ of one image and the rest of the other, to half a grey level",
    {
      image: AnyImage,
      lambda: number(0, 1)
    },
    ({ image, lambda }) => {
      const { a, b, result } = mixed(image, { _tag: "Mixup", lambda })
      result.forEach((value, i) => {
        assert.isAtMost(Math.abs(value - (lambda * a[i] + (1 - lambda) * b[i])), 0.5 + 1e-9)
      })
    }
  )

  it.prop("at λ = 1 and 0 is one image or the other", { image: AnyImage }, ({ image }) => {
    const one = mixed(image, { _tag: "Mixup", lambda: 1 })
    assert.deepStrictEqual(one.result, one.a)
    const other = mixed(image, { _tag: "Mixup", lambda: 0 })
    assert.deepStrictEqual(other.result, other.b)
  })
})

describe("CutMix", () => {
  it.prop(
    "keeps exactly the share λ of the first image, and a box of the second",
    {
      image: AnyImage,
      seed: int(0, 100_000),
      alpha: number(0.1, 4)
    },
    ({ alpha, image, seed }) => {
      const { height, width } = image
      const mixing = drawCutMix(alpha, draws(seed, "test"), height, width)
      if (mixing._tag !== "CutMix") throw new Error("no CutMix")
      const { bottom, lambda, left, right, top } = mixing
      assert.isTrue(
        0 <= top && top <= bottom && bottom <= height && 0 <= left && left <= right && right <= width
      )
      const { a, b, result } = mixed(image, mixing)
      let kept = 0
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const inBox = y >= top && y < bottom && x >= left && x < right
          if (!inBox) kept++
          const at = (y * width + x) * 3
          assert.deepStrictEqual([...result.subarray(at, at + 3)], [...(inBox ? b : a).subarray(at, at + 3)])
        }
      assert.strictEqual(lambda, Math.fround(kept / (height * width)))
    }
  )
})

describe("a mixed batch", () => {
  const dataset = datasetOf(16, { height: 8, width: 8 })
  // Each image is of one colour, its number; labels are numbers too.
  for (let i = 0; i < 16; i++) dataset.train.images.pixels.fill(10 * i, i * 192, (i + 1) * 192)
  const numbered = {
    ...dataset,
    train: { ...dataset.train, labels: Uint16Array.from({ length: 16 }, (_, i) => i) }
  }

  it.effect.each([
    { _tag: "Mixup", alpha: 0.5, p: 1 },
    { _tag: "CutMix", alpha: 1, p: 1 }
  ] as const)("$_tag: labels and λ say what is in each image", (step) =>
    Effect.gen(function* () {
      for (let epoch = 0; epoch < 20; epoch++) {
        const [batch] = yield* Stream.runCollect(
          epochBatches(numbered, { batchSize: 16, pipeline: [step], seed: 2 }, { epoch, from: 0 })
        )
        const { images, labelsA, labelsB, lambda } = batch
        assert.deepStrictEqual(new Set(labelsB), new Set(labelsA), "partners are a permutation")
        assert.isTrue(lambda.every((value) => value === lambda[0] && value >= 0 && value <= 1))
        for (let i = 0; i < 16; i++) {
          const pixels = images.subarray(i * 192, (i + 1) * 192)
          const mean = pixels.reduce((a, b) => a + b, 0) / 192
          const expected = 10 * (lambda[i] * labelsA[i] + (1 - lambda[i]) * labelsB[i])
          assert.closeTo(mean, expected, step._tag === "Mixup" ? 0.5 : 1e-4)
        }
      }
    })
  )

  it.effect("that is not mixed keeps its labels, with λ = 1", () =>
    Effect.gen(function* () {
      const pipeline = [{ _tag: "Mixup", alpha: 1, p: 0 }] as const
      const [batch] = yield* Stream.runCollect(
        epochBatches(numbered, { batchSize: 16, pipeline, seed: 2 }, { epoch: 0, from: 0 })
      )
      assert.deepStrictEqual(batch.labelsB, batch.labelsA)
      assert.deepStrictEqual(batch.lambda, new Float32Array(16).fill(1))
      const first = Array.from(batch.labelsA, (_, i) => batch.images[i * 192])
      assert.deepStrictEqual(
        first,
        Array.from(batch.labelsA, (label) => 10 * label)
      )
    })
  )
})
