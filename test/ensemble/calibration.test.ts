import { assert, describe, it } from "@effect/vitest"
import { softmax } from "../../src/Ensemble/Combine.ts"
import { fitTemperature } from "../../src/Ensemble/Search/Temperature.ts"
import { calibrationOf } from "../../src/Ensemble/Statistics/Calibration.ts"
import { AnyMembers, calibrated, membersOf, outputs } from "./support.ts"

describe("calibrationOf", () => {
  const probabilities = outputs(
    [0.778, 0.219, 0.003],
    [0.001, 0.101, 0.898],
    [0.157, 0.525, 0.318],
    [0.265, 0.026, 0.709],
    [0.204, 0.033, 0.763],
    [0.08, 0.721, 0.199],
    [0.992, 0, 0.008],
    [0.223, 0.262, 0.515],
    [0.542, 0.419, 0.039],
    [0.008, 0.319, 0.673],
    [0.221, 0.21, 0.569],
    [0.806, 0.119, 0.075]
  )
  const labels = [0, 2, 1, 2, 1, 1, 0, 2, 1, 2, 2, 0]

  it("gives the reference values", () => {
    const { bins, brier, ece, loss } = calibrationOf(probabilities, labels)
    assert.closeTo(ece, 0.23441666666666663, 1e-7)
    assert.closeTo(brier, 0.31991716666666664, 1e-7)
    assert.closeTo(loss, 0.6501913194401199, 1e-7)
    assert.strictEqual(bins.length, 15)
    assert.deepStrictEqual(
      bins.map(({ images }) => images),
      [0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 3, 2, 1, 1, 1]
    )
    assert.closeTo(bins[10].confidence!, 0.701, 1e-7)
    assert.strictEqual(bins[8].accuracy, 0.5)
    assert.deepStrictEqual(bins[9], {
      from: 9 / 15,
      to: 10 / 15,
      images: 0,
      confidence: null,
      accuracy: null
    })
  })

  it("puts certain images into the last bin", () => {
    const { bins, brier, ece, loss } = calibrationOf(outputs([1, 0], [0, 1]), [0, 1])
    assert.strictEqual(bins[14].images, 2)
    assert.deepStrictEqual([ece, brier, loss], [0, 0, 0])
    assert.strictEqual(calibrationOf(outputs([1, 0]), [1]).brier, 2)
  })

  it("is nearly 0 for labels drawn with the probabilities, and only then", () => {
    const { labels, logits } = calibrated(20_000, 5)
    assert.isBelow(calibrationOf(softmax(logits), labels).ece, 0.015)
    const sure = { ...logits, values: logits.values.map((value) => 3 * value) }
    assert.isAbove(calibrationOf(softmax(sure), labels).ece, 0.1)
    assert.isBelow(calibrationOf(softmax(sure, fitTemperature(sure, labels)), labels).ece, 0.015)
  })

  it.prop("has every image in the bin of its confidence", { any: AnyMembers }, ({ any }) => {
    const { labels, logits } = membersOf(any)
    const { bins, ece } = calibrationOf(softmax(logits[0]), labels)
    assert.strictEqual(
      bins.reduce((sum, { images }) => sum + images, 0),
      any.images
    )
    for (const { confidence, from, to } of bins) {
      if (confidence === null) continue
      assert.isAbove(confidence, from - 1e-7)
      assert.isAtMost(confidence, to + 1e-7)
    }
    assert.isTrue(ece >= 0 && ece <= 1)
  })
})
