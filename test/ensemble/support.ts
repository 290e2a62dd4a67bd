/** Outputs of made-up members. */
import * as Schema from "effect/Schema"
import { combine, type Outputs, softmax } from "../../src/Ensemble/Combine.ts"
import type { MeasuredEnsemble } from "../../src/Ensemble/Statistics.ts"
import { draws } from "../../src/Random.ts"

export const outputs = (...rows: ReadonlyArray<ReadonlyArray<number>>): Outputs => ({
  images: rows.length,
  classes: rows[0].length,
  values: Float32Array.from(rows.flat())
})

export const sumOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0)

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** How many members, images and classes, and how much members know. */
export const AnyMembers = Schema.Struct({
  count: int(1, 6),
  images: int(1, 60),
  classes: int(2, 12),
  skill: int(0, 4),
  seed: int(0, 1_000_000)
})
export type AnyMembers = typeof AnyMembers.Type

export interface Members {
  /** Logits of each. */
  readonly logits: ReadonlyArray<Outputs>
  readonly weights: ReadonlyArray<number>
  readonly labels: Uint16Array
}

/** Values that differ do so by enough for float32, whatever is done to them. */
const coarse = (value: number): number => Math.round(64 * value) / 64

/** Members that add noise of their own to what is true, with weights in [0.1, 1.1). */
export const membersOf = ({ classes, count, images, seed, skill }: AnyMembers): Members => {
  const random = draws(seed, "test members")
  const labels = Uint16Array.from({ length: images }, () => random.int(classes))
  const logits = Array.from({ length: count }, () => ({
    images,
    classes,
    values: Float32Array.from(
      { length: images * classes },
      (_, i) => coarse(2 * random.normal()) + (i % classes === labels[Math.floor(i / classes)] ? skill : 0)
    )
  }))
  return { logits, weights: logits.map(() => 0.1 + random.uniform()), labels }
}

/** Logits, and labels drawn with the probabilities that softmax gives them. */
export const calibrated = (images: number, classes: number) => {
  const random = draws(3, "test calibrated")
  const logits = {
    images,
    classes,
    values: Float32Array.from({ length: images * classes }, () => 2 * random.normal())
  }
  const { values } = softmax(logits)
  const labels = Uint16Array.from({ length: images }, (_, i) => {
    let left = random.uniform()
    let label = 0
    while (label < classes - 1 && left >= values[i * classes + label]) left -= values[i * classes + label++]
    return label
  })
  return { logits, labels }
}

/** An ensemble whose members have the weights 3, 1, 1, … and are right more often than not. */
export const measuredOf = (
  any: Partial<AnyMembers>,
  changes: Partial<MeasuredEnsemble> = {}
): MeasuredEnsemble => {
  const { labels, logits } = membersOf({ count: 4, images: 120, classes: 6, skill: 3, seed: 5, ...any })
  const weights = logits.map((_, m) => (m === 0 ? 3 : 1))
  return {
    dataset: "bars & <stars>",
    split: "test",
    classes: Array.from({ length: logits[0].classes }, (_, k) => `class <${k}>`),
    labels,
    rule: "MeanProbabilities",
    members: logits.map((member, m) => ({
      name: `runs/<${m}>`,
      weight: weights[m],
      probabilities: softmax(member)
    })),
    scores: combine("MeanProbabilities", logits, weights),
    temperature: 0.8,
    selection: "weights & temperature, on 500 validation images",
    seed: 1,
    command: 'shakedrop ensemble "a"',
    ...changes
  }
}
