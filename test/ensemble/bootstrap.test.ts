import { assert, describe, it } from "@effect/vitest"
import { binomials } from "../../src/Ensemble/Statistics/Binomial.ts"
import { accuracyInterval, differenceInterval } from "../../src/Ensemble/Statistics/Bootstrap.ts"
import { draws } from "../../src/Random.ts"

/** 1 for the first images, 0 for the others. */
const rightThenWrong = (right: number, images: number): Uint8Array => new Uint8Array(images).fill(1, 0, right)

describe("the binomial distribution", () => {
  const { draw, probability } = binomials(5000)

  it("has the reference probabilities", () => {
    assert.closeTo(probability(3, 10, 0.3), 0.266827932, 1e-12)
    assert.closeTo(probability(4800, 5000, 0.96), 0.02877916532131846, 1e-12)
    assert.deepStrictEqual([probability(0, 7, 0), probability(7, 7, 1), probability(3, 7, 1)], [1, 1, 0])
  })

  it("is drawn from", () => {
    const random = draws(11, "test binomial")
    for (const [n, p] of [
      [1, 0.3],
      [5, 0.5],
      [10, 0.97],
      [3, 0.001]
    ] as const) {
      const total = 20_000
      const counts = new Array<number>(n + 1).fill(0)
      for (let i = 0; i < total; i++) counts[draw(n, p, random)]++
      counts.forEach((count, k) => {
        const share = probability(k, n, p)
        // Five standard errors.
        const error = 5 * Math.sqrt((share * (1 - share)) / total)
        assert.closeTo(count / total, share, error + 1e-4, `${k} of ${n} at ${p}`)
      })
    }
  })

  it("has its mean and variance where its probabilities at the ends are too small for a number", () => {
    const random = draws(12, "test binomial")
    for (const p of [0.5, 0.96, 1e-4]) {
      const values = Array.from({ length: 20_000 }, () => draw(5000, p, random))
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
      const expected = 5000 * p * (1 - p)
      assert.closeTo(mean, 5000 * p, 5 * Math.sqrt(expected / values.length))
      assert.closeTo(variance / expected, 1, 0.1)
    }
  })
})

describe("accuracyInterval", () => {
  it("is that between the binomial quantiles", () => {
    // Of images in all, of which so many are right: quantiles of the exact distribution.
    for (const [images, right, low, high] of [
      [50, 20, 0.26, 0.54],
      [1000, 970, 0.959, 0.98],
      [10_000, 9500, 0.9457, 0.9542]
    ]) {
      const interval = accuracyInterval(rightThenWrong(right, images), 1)
      const near = Math.max(1 / images, 3e-4)
      assert.closeTo(interval[0], low, near + 1e-12)
      assert.closeTo(interval[1], high, near + 1e-12)
    }
  })

  it("depends on the seed and on the numbers alone", () => {
    const correct = rightThenWrong(9000, 10_000)
    assert.deepStrictEqual(accuracyInterval(correct.toReversed(), 1), accuracyInterval(correct, 1))
    assert.notDeepEqual(
      [1, 2, 3, 4, 5].map((seed) => accuracyInterval(correct, seed)),
      new Array(5).fill(accuracyInterval(correct, 1))
    )
  })

  it("has no width where all images are right, or all wrong", () => {
    assert.deepStrictEqual(accuracyInterval(rightThenWrong(30, 30), 1), [1, 1])
    assert.deepStrictEqual(accuracyInterval(rightThenWrong(0, 30), 1), [0, 0])
  })
})

describe("differenceInterval", () => {
  it("is that of images drawn one by one", () => {
    // 30 of 400 images that only the first has right, 12 that only the second has.
    const first = new Uint8Array(400).fill(1)
    const second = new Uint8Array(400).fill(1)
    second.fill(0, 0, 30)
    first.fill(0, 30, 42)
    const [low, high] = differenceInterval(first, second, 1)
    assert.closeTo(low, 0.015, 0.0025)
    assert.closeTo(high, 0.0775, 0.0025)
    const reversed = differenceInterval(second, first, 1)
    assert.closeTo(reversed[0], -high, 0.0025)
    assert.closeTo(reversed[1], -low, 0.0025)
  })

  it("holds where the two are the same, or never", () => {
    const right = rightThenWrong(20, 20)
    const wrong = rightThenWrong(0, 20)
    assert.deepStrictEqual(differenceInterval(right, right, 1), [0, 0])
    assert.deepStrictEqual(differenceInterval(right, wrong, 1), [1, 1])
    assert.deepStrictEqual(differenceInterval(wrong, right, 1), [-1, -1])
  })
})
