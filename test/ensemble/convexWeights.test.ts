import { assert, describe, it } from "@effect/vitest"
import { accuracyOf, type Outputs, softmax, weightedMean } from "../../src/Ensemble/Combine.ts"
import { convexWeights } from "../../src/Ensemble/Search/ConvexWeights.ts"
import { negativeLogLikelihood } from "../../src/Ensemble/Search/Temperature.ts"
import { draws } from "../../src/Random.ts"
import { AnyMembers, membersOf, outputs, sumOf } from "./support.ts"

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

  it("tells members apart that are nearly equal", () => {
    // Only the second counts; alone it is 1.25e-5 nats better than the first.
    const { loss, weights } = convexWeights([ofLabels(0.08), ofLabels(0.080001), ofLabels(0.05)], [0])
    assert.isAtMost(loss, -Math.log(0.080001) + 1.1e-6)
    assert.isAbove(weights[1], 0.9)
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
