import { assert, describe, it } from "@effect/vitest"
import { accuracyOf, predictions } from "../../src/Ensemble/Combine.ts"
import { ensembleStatistics } from "../../src/Ensemble/Statistics.ts"
import { wilsonInterval } from "../../src/Train/Run/Interval.ts"
import { AnyMembers, measuredOf, outputs } from "./support.ts"

const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0)

describe("ensembleStatistics", () => {
  // The first has the first three of four images right, the second the last two, the whole all but the first.
  const first = outputs([0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4])
  const second = outputs([0.4, 0.6], [0.4, 0.6], [0.2, 0.8], [0.1, 0.9])
  const small = {
    ...measuredOf({ count: 2 }),
    classes: ["a", "b"],
    labels: Uint16Array.of(0, 0, 1, 1),
    members: [
      { name: "first", weight: 2, probabilities: first },
      { name: "second", weight: 6, probabilities: second }
    ],
    scores: outputs([0.45, 0.55], [0.51, 0.49], [0.3, 0.7], [0.2, 0.8])
  }

  it("compares the whole with its best member", () => {
    const { calibration, gain, members, sizes, whole } = ensembleStatistics({ ...small, temperature: null })
    assert.deepStrictEqual(
      members.map(({ accuracy, name, weight }) => [name, weight, accuracy]),
      [
        ["first", 0.25, 0.75],
        ["second", 0.75, 0.5]
      ]
    )
    assert.strictEqual(whole.accuracy, 0.75)
    assert.deepStrictEqual(whole.confusion, [
      [1, 1],
      [0, 2]
    ])
    const { best, difference, interval, onlyBest, onlyWhole, p } = gain
    assert.deepStrictEqual([best, difference, onlyWhole, onlyBest, p], ["first", 0, 1, 1, 1])
    assert.isTrue(interval[0] <= -0.25 && interval[1] >= 0.25)
    assert.closeTo(whole.loss, -sumOf([0.45, 0.51, 0.7, 0.8].map(Math.log)) / 4, 1e-6)
    assert.strictEqual(calibration.before.loss, whole.loss)
    assert.strictEqual(sizes[0].mean, 0.625)
    assert.deepStrictEqual([sizes[1].sets, sizes[1].min], [1, sizes[1].max])
  })

  it("lists the images that every member gets wrong with the answer of the whole", () => {
    const { allWrong } = ensembleStatistics({ ...small, labels: Uint16Array.of(0, 0, 0, 1) })
    assert.deepStrictEqual(
      allWrong.map(({ label, position, predicted }) => [position, label, predicted]),
      [[2, 0, 1]]
    )
    // With the temperature of 0.8.
    assert.closeTo(allWrong[0].probability, 0.7 ** 1.25 / (0.7 ** 1.25 + 0.3 ** 1.25), 1e-6)
  })

  it("gives loss and confidence with the same temperature, and what they are without", () => {
    const { calibration, whole } = ensembleStatistics(small)
    assert.strictEqual(whole.loss, calibration.after?.loss)
    assert.closeTo(calibration.before.loss, -sumOf([0.45, 0.51, 0.7, 0.8].map(Math.log)) / 4, 1e-6)
  })

  it("has Wilson's intervals, which have a width where all of a few images are right", () => {
    const { members, whole } = ensembleStatistics({ ...small, labels: Uint16Array.of(1, 1, 1, 1) })
    assert.deepStrictEqual(members[1].interval, wilsonInterval(4, 4))
    assert.deepStrictEqual(whole.interval, wilsonInterval(3, 4))
    assert.isBelow(members[1].interval[0], 0.52)
  })

  it("names classes that the data does not have", () => {
    assert.deepStrictEqual(ensembleStatistics({ ...small, classes: ["a"] }).classes, ["a", "class 1"])
  })

  it("leaves confidence alone where there is no temperature", () => {
    assert.isNull(ensembleStatistics({ ...small, temperature: null }).calibration.after)
    const { after, before } = ensembleStatistics({ ...small, temperature: 1 }).calibration
    assert.closeTo(after!.ece, before.ece, 1e-6)
    const sharper = ensembleStatistics({ ...small, temperature: 0.5 }).calibration
    // 0.8² / (0.8² + 0.2²), the only confidence in its bin.
    assert.closeTo(sharper.after!.bins[14].confidence!, 0.64 / 0.68, 1e-6)
  })

  it.prop("is a plain value that agrees with itself", { any: AnyMembers }, ({ any }) => {
    const measured = measuredOf(any)
    const report = ensembleStatistics(measured)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(report)), report)
    assert.deepStrictEqual(ensembleStatistics(measured), report)
    const { gain, images, members, whole } = report
    assert.closeTo(whole.accuracy, accuracyOf(measured.scores, measured.labels), 1e-12)
    assert.closeTo(sumOf(members.map(({ weight }) => weight)), 1, 1e-12)
    assert.strictEqual(sumOf(whole.confusion.flat()), images)
    assert.closeTo(gain.difference, (gain.onlyWhole - gain.onlyBest) / images, 1e-12)
    assert.isTrue(members.every(({ accuracy }) => accuracy <= whole.accuracy - gain.difference + 1e-12))
    for (const { accuracy, interval } of [...members, whole]) {
      assert.isAtMost(interval[0], accuracy + 1e-12)
      assert.isAtLeast(interval[1], accuracy - 1e-12)
    }
    for (const { position } of report.allWrong)
      for (const { probabilities } of measured.members)
        assert.notStrictEqual(predictions(probabilities)[position], measured.labels[position])
  })
})
