import { assert, describe, it } from "@effect/vitest"
import { accuracyOf, combine, type Outputs, softmax, weightedMean } from "../../src/Ensemble/Combine.ts"
import { convexWeights, greedySelection } from "../../src/Ensemble/Search.ts"
import { negativeLogLikelihood } from "../../src/Ensemble/Temperature.ts"
import { draws } from "../../src/Random.ts"
import { AnyMembers, membersOf, outputs } from "./support.ts"

const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0)

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

/** Probabilities of two classes, of which the first is the label of all images. */
const ofLabels = (...values: ReadonlyArray<number>): Outputs =>
  outputs(...values.map((value) => [value, 1 - value]))

describe("convexWeights", () => {
  it("gives the closed form of two members", () => {
    // 2 log(0.3 + 0.5 w) + log(0.9 - 0.7 w) is largest at w = 0.69 / 1.05.
    const { loss, weights } = convexWeights([ofLabels(0.8, 0.8, 0.2), ofLabels(0.3, 0.3, 0.9)], [0, 0, 0])
    const w = 0.69 / 1.05
    assert.closeTo(weights[0], w, 1e-3)
    assert.closeTo(weights[1], 1 - w, 1e-3)
    assert.closeTo(loss, -(2 * Math.log(0.3 + 0.5 * w) + Math.log(0.9 - 0.7 * w)) / 3, 1e-6)
  })

  it("gives the reference values, a member that does not help having no weight", () => {
    const { accuracy, loss, weights } = convexWeights(
      [
        ofLabels(0.7, 0.2, 0.5, 0.05, 0.9, 0.3),
        ofLabels(0.4, 0.6, 0.3, 0.5, 0.6, 0.2),
        ofLabels(0.1, 0.1, 0.9, 0.8, 0.2, 0.3),
        ofLabels(0.3, 0.2, 0.3, 0.1, 0.5, 0.29)
      ],
      [0, 0, 0, 0, 0, 0]
    )
    for (const [m, weight] of [0.275711109, 0.586800187, 0.137488704, 0].entries())
      assert.closeTo(weights[m], weight, 2e-3)
    assert.closeTo(loss, 0.8784590220721419, 1e-6)
    // Above one half for the fifth image alone.
    assert.closeTo(accuracy, 1 / 6, 1e-12)
  })

  it("weighs equal members equally, and bears probabilities of 0", () => {
    const member = ofLabels(0.5, 0, 1)
    assert.deepStrictEqual(
      convexWeights([member, member, member, member], [0, 0, 0]).weights,
      [0.25, 0.25, 0.25, 0.25]
    )
  })

  it.prop("are no worse than any other weights", { any: AnyMembers }, ({ any }) => {
    const { labels, logits } = membersOf(any)
    const members = logits.map((member) => softmax(member))
    const { accuracy, loss, weights } = convexWeights(members, labels)
    assert.closeTo(sumOf(weights), 1, 1e-9)
    assert.isTrue(weights.every((weight) => weight >= 0))
    assert.strictEqual(accuracy, accuracyOf(weightedMean(members, weights), labels))
    const random = draws(any.seed, "test weights")
    const others = Array.from({ length: 10 }, () => members.map(() => random.uniform() + 1e-9))
    const single = members.map((_, m) => members.map((_, other) => (m === other ? 1 : 0)))
    for (const other of [...others, ...single, members.map(() => 1)])
      assert.isAtMost(loss, negativeLogLikelihood(weightedMean(members, other), labels) + 2e-6)
  })
})
