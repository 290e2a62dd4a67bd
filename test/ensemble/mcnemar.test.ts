import { assert, describe, it } from "@effect/vitest"
import { mcNemar } from "../../src/Ensemble/Statistics/McNemar.ts"

/** Two classifiers of which only the first, only the second, both and neither are right so often. */
const pair = (onlyFirst: number, onlySecond: number, both = 7, neither = 2) => {
  const images = onlyFirst + onlySecond + both + neither
  const first = new Uint8Array(images).fill(1, 0, onlyFirst)
  const second = new Uint8Array(images).fill(1, onlyFirst, onlyFirst + onlySecond)
  for (const correct of [first, second])
    correct.fill(1, onlyFirst + onlySecond, onlyFirst + onlySecond + both)
  return [first, second] as const
}

describe("McNemar's test", () => {
  it("counts where one is right", () => {
    const { onlyFirst, onlySecond } = mcNemar(...pair(4, 9))
    assert.deepStrictEqual([onlyFirst, onlySecond], [4, 9])
  })

  it("gives what can be worked out by hand", () => {
    assert.closeTo(mcNemar(...pair(8, 1)).p, (2 * (1 + 9)) / 512, 1e-12)
    assert.closeTo(mcNemar(...pair(0, 5)).p, 2 / 32, 1e-12)
    assert.strictEqual(mcNemar(...pair(3, 3)).p, 1)
    assert.strictEqual(mcNemar(...pair(0, 0)).p, 1)
  })

  it("gives the reference values, to a small tail of many images", () => {
    for (const [b, c, p] of [
      [12, 20, 0.21532714972272515],
      [86, 150, 3.715936139571442e-5],
      [450, 550, 0.0017305360849763176],
      [700, 100, 1.1929981075157506e-111]
    ]) {
      assert.closeTo(mcNemar(...pair(b, c)).p / p, 1, 1e-9)
      assert.strictEqual(mcNemar(...pair(c, b, 0, 9)).p, mcNemar(...pair(b, c)).p)
    }
  })
})
