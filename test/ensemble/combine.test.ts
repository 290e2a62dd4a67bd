import { assert, describe, it } from "@effect/vitest"
import {
  accuracyOf,
  type CombinationRule,
  combine,
  type Outputs,
  predictions,
  rowOf,
  softmax
} from "../../src/Ensemble/Combine.ts"
import { AnyMembers, membersOf, outputs } from "./support.ts"

const RULES: ReadonlyArray<CombinationRule> = ["MeanProbabilities", "MeanLogits", "MajorityVote", "RankMean"]

const assertClose = (actual: Outputs, expected: Outputs, tolerance = 1e-6) => {
  assert.deepStrictEqual([actual.images, actual.classes], [expected.images, expected.classes])
  actual.values.forEach((value, i) => {
    assert.closeTo(value, expected.values[i], tolerance, `value ${i}`)
  })
}

const first = outputs([2, 1, 0], [0, 3, 1])
const second = outputs([0, 2, -1], [1, 1.5, 4])

describe("softmax", () => {
  it("gives the reference values, divided by a temperature", () => {
    assertClose(
      softmax(first, 2),
      outputs([0.506480391, 0.307195886, 0.186323723], [0.140244383, 0.628531719, 0.231223898])
    )
  })

  it("holds for large logits", () => {
    assertClose(softmax(outputs([1000, 1000, -1000])), outputs([0.5, 0.5, 0]))
  })
})

describe("combine", () => {
  it("takes means of probabilities and of logits as the reference does", () => {
    assertClose(
      combine("MeanProbabilities", [first, second], [3, 1]),
      outputs([0.527479517, 0.394495037, 0.078025446], [0.04250417, 0.650976412, 0.306519418])
    )
    assertClose(
      combine("MeanLogits", [first, second], [3, 1]),
      outputs([0.512144292, 0.398858375, 0.088997333], [0.061604038, 0.66230582, 0.276090142])
    )
  })

  it("counts votes by weight, however sure the outvoted are", () => {
    const members = [outputs([0, 9, 0]), outputs([0.1, 0, 0]), outputs([0.1, 0, 0])]
    const scores = combine("MajorityVote", members, [1, 1, 1])
    assert.deepStrictEqual([...predictions(scores)], [0])
    assertClose(scores, outputs([2 / 3, 1 / 3, 0]), 1e-3)
    assert.deepStrictEqual([...predictions(combine("MajorityVote", members, [2.1, 1, 1]))], [1])
  })

  it("decides a tie of votes by the mean probability, and then by the order of classes", () => {
    const sure = outputs([0, 0, 3])
    const unsure = outputs([0, 1, 0])
    for (const members of [
      [sure, unsure],
      [unsure, sure]
    ])
      assert.deepStrictEqual([...predictions(combine("MajorityVote", members, [1, 1]))], [2])
    // 0.1 + 0.2 is not 0.3 for a computer.
    const split = [unsure, unsure, sure]
    assert.deepStrictEqual([...predictions(combine("MajorityVote", split, [0.1, 0.2, 0.3]))], [2])
    const equal = [outputs([0, 0, 3]), outputs([0, 3, 0])]
    assert.deepStrictEqual([...predictions(combine("MajorityVote", equal, [1, 1]))], [1])
  })

  it("takes means of ranks, which equal values share", () => {
    assertClose(combine("RankMean", [outputs([5, 1, 1, 3])], [1]), outputs([0.4, 0.15, 0.15, 0.3]))
    assertClose(
      combine("RankMean", [outputs([5, 1, 1, 3]), outputs([1, 2, 3, 400])], [1, 3]),
      outputs([0.175, 0.1875, 0.2625, 0.375])
    )
  })

  it("refuses what are not weights of its members", () => {
    for (const weights of [[1], [0, 0], [-1, 2], [Number.NaN, 1]])
      assert.throws(() => combine("MeanProbabilities", [first, second], weights), RangeError, "weights of 2")
    assert.throws(() => combine("MeanLogits", [first, outputs([1, 2, 3])], [1, 1]), RangeError, "differ")
  })

  for (const rule of RULES) {
    describe(rule, () => {
      it.prop("gives shares for every image", { any: AnyMembers }, ({ any }) => {
        const { logits, weights } = membersOf(any)
        const scores = combine(rule, logits, weights)
        for (let i = 0; i < any.images; i++) {
          const row = rowOf(scores, i)
          assert.closeTo(
            row.reduce((sum, value) => sum + value, 0),
            1,
            1e-6
          )
          assert.isTrue(row.every((value) => value >= 0))
        }
      })

      it.prop(
        "minds neither the scale of weights nor the order of members",
        { any: AnyMembers },
        ({ any }) => {
          const { logits, weights } = membersOf(any)
          const scores = combine(rule, logits, weights)
          const scaled = weights.map((weight) => 37 * weight)
          assertClose(combine(rule, logits, scaled), scores)
          assertClose(combine(rule, logits.toReversed(), weights.toReversed()), scores)
        }
      )

      it.prop("of equal members predicts as one of them", { any: AnyMembers }, ({ any }) => {
        const { logits, weights } = membersOf(any)
        const same = logits.map(() => logits[0])
        assert.deepStrictEqual(predictions(combine(rule, same, weights)), predictions(logits[0]))
      })

      it.prop("leaves members without weight out", { any: AnyMembers }, ({ any }) => {
        const { logits, weights } = membersOf(any)
        const useless = { ...logits[0], values: logits[0].values.map(() => Number.NaN) }
        assert.deepStrictEqual(
          combine(rule, [...logits, useless], [...weights, 0]),
          combine(rule, logits, weights)
        )
      })
    })
  }

  it.prop("MeanProbabilities lies between the members' probabilities", { any: AnyMembers }, ({ any }) => {
    const { logits, weights } = membersOf(any)
    const members = logits.map((member) => softmax(member))
    combine("MeanProbabilities", logits, weights).values.forEach((value, i) => {
      const values = members.map((member) => member.values[i])
      assert.isAtLeast(value, Math.min(...values) - 1e-7)
      assert.isAtMost(value, Math.max(...values) + 1e-7)
    })
  })
})

it("predictions are the first of the largest, and accuracy is their share that is right", () => {
  const scores = outputs([0.2, 0.4, 0.4], [0.9, 0.1, 0], [0, 0, 1], [0.5, 0.5, 0])
  assert.deepStrictEqual(predictions(scores), Uint16Array.of(1, 0, 2, 0))
  assert.strictEqual(accuracyOf(scores, [1, 0, 2, 1]), 0.75)
})
