import { assert, describe, it } from "@effect/vitest"
import { accuracyOf, combine } from "../../src/Ensemble/Combine.ts"
import {
  allWrong,
  correctness,
  disagreement,
  errorCorrelation
} from "../../src/Ensemble/Statistics/Agreement.ts"
import { accuracyBySize, equallyWeighted } from "../../src/Ensemble/Statistics/Size.ts"
import { AnyMembers, membersOf } from "./support.ts"

describe("agreement", () => {
  const labels = [0, 1, 2, 0, 1, 2, 0, 1]
  const predicted = [
    Uint16Array.of(0, 1, 2, 1, 0, 2, 2, 1),
    Uint16Array.of(0, 2, 2, 1, 1, 2, 1, 1),
    Uint16Array.from(labels)
  ]
  const correct = predicted.map((member) => correctness(member, labels))

  it("is known of each image", () => {
    assert.deepStrictEqual(correct[0], Uint8Array.of(1, 1, 1, 0, 0, 1, 0, 1))
    assert.deepStrictEqual(correct[1], Uint8Array.of(1, 0, 1, 0, 1, 1, 0, 1))
  })

  it("counts the images that two members take for different classes", () => {
    assert.deepStrictEqual(disagreement(predicted), [
      [0, 3 / 8, 3 / 8],
      [3 / 8, 0, 3 / 8],
      [3 / 8, 3 / 8, 0]
    ])
  })

  it("correlates errors, where there are any", () => {
    const [[aa, ab, ac], [ba, bb], [ca, , cc]] = errorCorrelation(correct)
    assert.closeTo(aa!, 1, 1e-12)
    assert.closeTo(bb!, 1, 1e-12)
    // numpy's corrcoef.
    assert.closeTo(ab!, 7 / 15, 1e-12)
    assert.strictEqual(ba, ab)
    assert.deepStrictEqual([ac, ca, cc], [null, null, null])
    const [[, opposite]] = errorCorrelation([Uint8Array.of(1, 0, 1), Uint8Array.of(0, 1, 0)])
    assert.closeTo(opposite!, -1, 1e-12)
  })

  it("finds the images that all get wrong", () => {
    assert.deepStrictEqual(allWrong(correct.slice(0, 2)), [3, 6])
    assert.deepStrictEqual(allWrong(correct), [])
    assert.deepStrictEqual(allWrong(correct.slice(0, 1)), [3, 4, 6])
  })
})

describe("accuracyBySize", () => {
  it("measures all sets where there are not many", () => {
    const seen: Array<ReadonlyArray<number>> = []
    const sizes = accuracyBySize(
      4,
      (set) => {
        seen.push(set)
        return set.reduce((sum, member) => sum + member, 0) / 10
      },
      1
    )
    assert.deepStrictEqual(
      seen.filter(({ length }) => length === 2),
      [
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 2],
        [1, 3],
        [2, 3]
      ]
    )
    assert.deepStrictEqual(
      sizes.map(({ all, sets, size }) => [size, sets, all]),
      [
        [1, 4, true],
        [2, 6, true],
        [3, 4, true],
        [4, 1, true]
      ]
    )
    sizes.forEach(({ max, mean, min, size }) => {
      assert.closeTo(mean, 0.15 * size, 1e-12)
      assert.closeTo(min, [0, 0.1, 0.3, 0.6][size - 1], 1e-12)
      assert.closeTo(max, [0.3, 0.5, 0.6, 0.6][size - 1], 1e-12)
    })
  })

  it("measures 256 different ones where there are more, which the seed decides", () => {
    const setsOf = (seed: number) => {
      const seen: Array<string> = []
      const sizes = accuracyBySize(
        13,
        (set) => {
          assert.deepStrictEqual(
            set.toSorted((a, b) => a - b),
            set
          )
          seen.push(set.join())
          return 0
        },
        seed
      )
      return { seen, sizes }
    }
    const { seen, sizes } = setsOf(1)
    assert.deepStrictEqual(
      sizes.map(({ sets }) => sets),
      [13, 78, 256, 256, 256, 256, 256, 256, 256, 256, 78, 13, 1]
    )
    assert.deepStrictEqual(
      sizes.map(({ all }) => all),
      sizes.map(({ sets }) => sets !== 256)
    )
    assert.strictEqual(new Set(seen).size, seen.length)
    assert.deepStrictEqual(setsOf(1).seen, seen)
    assert.notDeepEqual(setsOf(2).seen, seen)
  })

  for (const rule of ["MeanProbabilities", "MeanLogits", "MajorityVote", "RankMean"] as const) {
    it.prop(`of ${rule} is the accuracy of the combined members`, { any: AnyMembers }, ({ any }) => {
      const { labels, logits } = membersOf(any)
      const accuracyOfSet = equallyWeighted(rule, logits, labels)
      const set = logits.flatMap((_, member) => (member % 2 === 0 ? [member] : []))
      const members = set.map((member) => logits[member])
      const whole = combine(
        rule,
        members,
        members.map(() => 1)
      )
      assert.closeTo(accuracyOfSet(set), accuracyOf(whole, labels), 1e-12)
    })
  }
})
