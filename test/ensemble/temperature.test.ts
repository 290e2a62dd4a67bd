import { assert, describe, it } from "@effect/vitest"
import { predictions, softmax } from "../../src/Ensemble/Combine.ts"
import {
  fitTemperature,
  logProbabilities,
  negativeLogLikelihood
} from "../../src/Ensemble/Search/Temperature.ts"
import { AnyMembers, calibrated, membersOf, outputs } from "./support.ts"

const LOGITS = outputs([4, 0, 0], [3, 1, 0], [0, 5, 1], [2, 0, 3], [1, 1, 4], [0, 3, 2])
const LABELS = [0, 1, 1, 2, 2, 2]

describe("negativeLogLikelihood", () => {
  it("gives the reference value", () => {
    assert.closeTo(negativeLogLikelihood(softmax(LOGITS), LABELS), 0.6705857665667726, 1e-7)
  })

  it("of a probability of 0 is large, not infinite", () => {
    assert.closeTo(negativeLogLikelihood(outputs([1, 0]), [1]), 149 * Math.LN2, 1e-9)
  })
})

describe("fitTemperature", () => {
  it("gives the reference value", () => {
    const temperature = fitTemperature(LOGITS, LABELS)
    assert.closeTo(temperature, 1.404853088400826, 1e-7)
    assert.closeTo(negativeLogLikelihood(softmax(LOGITS, temperature), LABELS), 0.633042127414283, 1e-7)
  })

  it("finds 1 for calibrated logits, and the factor of those that were scaled", () => {
    const { labels, logits } = calibrated(20_000, 5)
    assert.closeTo(fitTemperature(logits, labels), 1, 0.03)
    const scaled = { ...logits, values: logits.values.map((value) => 3 * value) }
    assert.closeTo(fitTemperature(scaled, labels), 3 * fitTemperature(logits, labels), 1e-5)
  })

  it("ends at a bound where none is best, and at 1 where all are the same", () => {
    assert.closeTo(fitTemperature(outputs([0.3, 0], [0, 0.3]), [0, 1]), 0.01, 1e-8)
    assert.closeTo(fitTemperature(outputs([3, 0], [0, 3]), [1, 0]), 100, 1e-4)
    assert.strictEqual(fitTemperature(outputs([2, 2], [-1, -1]), [1, 0]), 1)
  })

  it.prop(
    "is no worse than any temperature near it or 1, and changes no prediction",
    { any: AnyMembers },
    ({ any }) => {
      const { labels, logits } = membersOf(any)
      const temperature = fitTemperature(logits[0], labels)
      const loss = (t: number) => negativeLogLikelihood(softmax(logits[0], t), labels)
      for (const other of [1, 1.05 * temperature, temperature / 1.05])
        if (other <= 100 && other >= 0.01) assert.isAtMost(loss(temperature), loss(other) + 1e-6)
      if (temperature > 0.1)
        assert.deepStrictEqual(predictions(softmax(logits[0], temperature)), predictions(logits[0]))
    }
  )
})

it("logProbabilities are logits of the probabilities", () => {
  const probabilities = outputs([0.25, 0.75, 0], [0.5, 0.25, 0.25])
  softmax(logProbabilities(probabilities)).values.forEach((value, i) => {
    assert.closeTo(value, probabilities.values[i], 1e-7)
  })
})
