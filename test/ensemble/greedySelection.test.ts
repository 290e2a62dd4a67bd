import { assert, describe, it } from "@effect/vitest"
import { accuracyOf, combine } from "../../src/Ensemble/Combine.ts"
import { greedySelection } from "../../src/Ensemble/Search/GreedySelection.ts"
import { negativeLogLikelihood } from "../../src/Ensemble/Search/Temperature.ts"
import { AnyMembers, membersOf, outputs, sumOf } from "./support.ts"

describe("greedySelection", () => {
  // Right about the first two images of four, the last two, the first three, and none.
  const front = outputs([2, 0], [2, 0], [1, 0], [1, 0])
  const back = outputs([0, 1], [0, 1], [0, 2], [0, 2])
  const most = outputs([0.1, 0], [0.1, 0], [0, 0.1], [0.1, 0])
  const wrong = outputs([0, 9], [0, 9], [9, 0], [9, 0])
  const labels = [0, 0, 1, 1]

  it("finds members that are only right together", () => {
    const { accuracy, weights } = greedySelection("MeanLogits", [front, back, wrong], labels)
    assert.strictEqual(accuracy, 1)
    // No larger set is better balanced.
    assert.deepStrictEqual(weights, [0.5, 0.5, 0])
  })

  it("begins with the best member, and picks it again where that is best", () => {
    const alone = greedySelection("MeanProbabilities", [wrong, most], labels)
    assert.deepStrictEqual(alone.weights, [0, 1])
    assert.strictEqual(alone.accuracy, 0.75)
    const unequal = greedySelection("MeanLogits", [wrong, front, most], labels)
    assert.isAbove(unequal.weights[2], unequal.weights[1])
    assert.isAtLeast(unequal.accuracy, 0.75)
  })

  it("of equally accurate members takes the one with less loss", () => {
    const unsure = outputs([0.2, 0], [0.2, 0], [0, 0.2], [0, 0.2])
    const sure = outputs([3, 0], [3, 0], [0, 3], [0, 3])
    assert.deepStrictEqual(greedySelection("MeanProbabilities", [unsure, sure], labels).weights, [0, 1])
    assert.deepStrictEqual(greedySelection("MeanProbabilities", [sure, sure], labels).weights, [1, 0])
  })

  it("says of ranks that tie what its weights give", () => {
    const any = { count: 2, images: 54, classes: 12, skill: 2, seed: 144_271 }
    const { labels, logits } = membersOf(any)
    const { accuracy, weights } = greedySelection("RankMean", logits, labels)
    assert.strictEqual(accuracy, accuracyOf(combine("RankMean", logits, weights), labels))
  })

  for (const rule of ["MeanProbabilities", "MeanLogits", "MajorityVote", "RankMean"] as const) {
    it.prop(
      `with ${rule} is at least as good as the best member, and says what is true`,
      { any: AnyMembers },
      ({ any }) => {
        const { labels, logits } = membersOf(any)
        const { accuracy, loss, weights } = greedySelection(rule, logits, labels)
        assert.closeTo(sumOf(weights), 1, 1e-12)
        const scores = combine(rule, logits, weights)
        assert.closeTo(accuracy, accuracyOf(scores, labels), 1e-12)
        assert.closeTo(loss, negativeLogLikelihood(scores, labels), 1e-6)
        for (const member of logits) assert.isAtLeast(accuracy, accuracyOf(member, labels))
      }
    )
  }
})
