import { assert, describe, it } from "@effect/vitest"
import { accuracyScale, countScale, linearScale, logScale, type Scale } from "../../src/Report/Chart/Scale.ts"

/** Every value and tick lies on the axis, larger ones higher; ticks can be told apart. */
const holds = ({ position, ticks }: Scale, values: ReadonlyArray<number>) => {
  for (const value of [...values, ...ticks]) {
    assert.isAtLeast(position(value), -1e-9, String(value))
    assert.isAtMost(position(value), 1 + 1e-9, String(value))
  }
  assert.isAtLeast(ticks.length, 2)
  for (let i = 1; i < ticks.length; i++) {
    assert.isAtLeast(position(ticks[i]) - position(ticks[i - 1]), 0.09, `${ticks[i - 1]} and ${ticks[i]}`)
  }
}

describe("the axis of", () => {
  it("accuracies holds any, and is wider near 100 %", () => {
    for (const values of [[0, 1], [0.1, 0.934], [0.97, 0.971], [1], [0.05], [0.996, 1]]) {
      holds(accuracyScale(values), values)
    }
    const { format, position, ticks } = accuracyScale([0.1, 0.992])
    assert.isAbove(position(0.99) - position(0.95), position(0.5) - position(0.3))
    assert.strictEqual(format(ticks[ticks.length - 1]), "99.5\u00a0%")
  })

  it("accuracies below 90 % is linear", () => {
    const { position } = accuracyScale([0.1, 0.85])
    assert.closeTo(position(0.8) - position(0.7), position(0.3) - position(0.2), 1e-12)
  })

  it("losses is logarithmic", () => {
    for (const values of [[2.4, 0.31], [1], [0.0007, 12]]) holds(logScale(values), values)
    const { position } = logScale([1, 100])
    assert.closeTo(position(10), 0.5, 1e-12)
  })

  it("rates begins at 0", () => {
    for (const values of [[1234], [0.1, 0.0003], [0], [50, 100]]) {
      const scale = linearScale(values, String)
      holds(scale, values)
      assert.strictEqual(scale.ticks[0], 0)
    }
    assert.deepStrictEqual(linearScale([0.1], String).ticks, [0, 0.02, 0.04, 0.06, 0.08, 0.1])
  })

  it("epochs has whole ones below", () => {
    assert.deepStrictEqual(countScale(1).ticks, [1])
    assert.strictEqual(countScale(1).position(1), 0.5)
    assert.deepStrictEqual(countScale(8).ticks, [1, 2, 4, 6, 8])
    assert.deepStrictEqual(countScale(1800).ticks, [1, 500, 1000, 1500])
    assert.strictEqual(countScale(40).position(1), 0)
    assert.strictEqual(countScale(40).position(40), 1)
  })
})
