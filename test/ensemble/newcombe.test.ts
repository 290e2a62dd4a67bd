import { assert, describe, it } from "@effect/vitest"
import { differenceInterval } from "../../src/Ensemble/Statistics/Newcombe.ts"
import { draws } from "../../src/Random.ts"

/** Two classifiers of which both, only the first, only the second and neither are right so often. */
const pair = (both: number, onlyFirst: number, onlySecond: number, neither: number) => {
  const times = (right: number, count: number) => new Array<number>(count).fill(right)
  const of = (first: number, second: number) =>
    Uint8Array.from([
      ...times(1, both),
      ...times(first, onlyFirst),
      ...times(second, onlySecond),
      ...times(0, neither)
    ])
  return [of(1, 0), of(0, 1)] as const
}

describe("differenceInterval", () => {
  it("is Newcombe's of published tables", () => {
    for (const [table, low, high] of [
      // Bentur et al. 2009, with the interval of Fagerland et al., "Statistical Analysis of Contingency Tables", 2017.
      [[1, 1, 7, 12], -0.507, -0.026],
      // The table of Altman et al., "Statistics with Confidence", 2000, by the formula there.
      [[14, 5, 0, 22], 0.0115, 0.2265]
    ] as const) {
      const [a, b, c, d] = table
      const interval = differenceInterval(...pair(a, b, c, d))
      assert.closeTo(interval[0], low, 6e-4)
      assert.closeTo(interval[1], high, 6e-4)
      const reversed = differenceInterval(...pair(a, c, b, d))
      assert.closeTo(reversed[0], -interval[1], 1e-12)
      assert.closeTo(reversed[1], -interval[0], 1e-12)
    }
  })

  it("has a width where the two are the same, and stays within −1 and 1 where they never are", () => {
    const [low, high] = differenceInterval(...pair(8, 0, 0, 0))
    assert.closeTo(low, -0.3244, 1e-4)
    assert.closeTo(high, 0.3244, 1e-4)
    const [least, most] = differenceInterval(...pair(0, 8, 0, 0))
    assert.isBelow(least, 1)
    assert.closeTo(most, 1, 1e-12)
  })

  it("holds the difference of 19 in 20 samples, of few images too", () => {
    const random = draws(5, "test newcombe")
    for (const [images, both, first, second] of [
      [12, 0.7, 0.15, 0.05],
      [40, 0.9, 0.05, 0.02],
      [400, 0.8, 0.05, 0.05]
    ]) {
      const samples = 2000
      let held = 0
      for (let s = 0; s < samples; s++) {
        const counts = [0, 0, 0, 0]
        for (let i = 0; i < images; i++) {
          const at = random.uniform()
          counts[at < both ? 0 : at < both + first ? 1 : at < both + first + second ? 2 : 3]++
        }
        const [low, high] = differenceInterval(...pair(counts[0], counts[1], counts[2], counts[3]))
        if (low <= first - second && first - second <= high) held++
      }
      assert.isAbove(held / samples, 0.93)
      assert.isBelow(held / samples, 0.995)
    }
  })
})
