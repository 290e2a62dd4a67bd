import { assert, it } from "@effect/vitest"
import { measure, softmax } from "../../src/Train/Evaluate/Measures.ts"

it("measures accuracy, loss, top-5 and confusion", () => {
  const logits = Float32Array.of(...[2, 1, 0, -1, -2, -3], ...[0, 5, 0, 0, 0, 0], ...[1, 2, 3, 4, 5, 0])
  const { confusion, ...rest } = measure(logits, [0, 2, 5], 6)
  const loss = (row: ReadonlyArray<number>, label: number) =>
    Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[label]
  assert.strictEqual(rest.images, 3)
  assert.strictEqual(rest.correct, 1)
  assert.closeTo(rest.accuracy, 1 / 3, 1e-12)
  assert.closeTo(rest.top5, 2 / 3, 1e-12)
  const expected = loss([2, 1, 0, -1, -2, -3], 0) + loss([0, 5, 0, 0, 0, 0], 2) + loss([1, 2, 3, 4, 5, 0], 5)
  assert.closeTo(rest.loss, expected / 3, 1e-12)
  assert.deepStrictEqual(confusion[0], [1, 0, 0, 0, 0, 0])
  assert.deepStrictEqual(confusion[2], [0, 1, 0, 0, 0, 0])
  assert.deepStrictEqual(confusion[5], [0, 0, 0, 0, 1, 0])
})

it("softmax holds for large logits", () => {
  assert.deepStrictEqual([...softmax(Float32Array.of(1000, 1000), new Float64Array(2))], [0.5, 0.5])
})
