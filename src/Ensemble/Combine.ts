/** What the members of an ensemble say about the images, and rules to make one answer of it. */
import { argMax, softmax as softmaxRow } from "../Train/Evaluate/Measures.ts"

/** A row of class values for each image, row by row: logits, probabilities or other scores. */
export interface Outputs {
  readonly images: number
  readonly classes: number
  /** [images,classes] */
  readonly values: Float32Array
}

/**
 * - `MeanProbabilities`: the weighted mean of the members' probabilities.
 * - `MeanLogits`: softmax of the weighted mean of their logits, which is their geometric mean.
 * - `MajorityVote`: shares of the votes, one vote a member for its most likely class. The mean probability counts a
 *   thousandth beside them, which decides ties.
 * - `RankMean`: the weighted mean of the ranks that members give to the classes (Borda count), as shares.
 */
export type CombinationRule = "MeanProbabilities" | "MeanLogits" | "MajorityVote" | "RankMean"

/** What a mean probability counts beside a vote. */
const TIE = 1 / 1000

/** The values of one image. */
export const rowOf = ({ classes, values }: Outputs, image: number): Float32Array =>
  values.subarray(image * classes, (image + 1) * classes)

/** Outputs of the same shape, written a row at a time. */
const mapRows = (
  { classes, images, values }: Outputs,
  write: (row: Float32Array, out: Float32Array) => void
): Outputs => {
  const result = { images, classes, values: new Float32Array(values.length) }
  for (let i = 0; i < images; i++) write(rowOf({ images, classes, values }, i), rowOf(result, i))
  return result
}

/** Probabilities from logits divided by a temperature. */
export const softmax = (logits: Outputs, temperature = 1): Outputs => {
  const scaled = new Float32Array(logits.classes)
  const probabilities = new Float64Array(logits.classes)
  return mapRows(logits, (row, out) => {
    for (let k = 0; k < row.length; k++) scaled[k] = row[k] / temperature
    out.set(softmaxRow(scaled, probabilities))
  })
}

const votes = (logits: Outputs): Outputs => {
  const probabilities = new Float64Array(logits.classes)
  return mapRows(logits, (row, out) => {
    softmaxRow(row, probabilities)
    const vote = argMax(row)
    for (let k = 0; k < row.length; k++) out[k] = ((k === vote ? 1 : 0) + TIE * probabilities[k]) / (1 + TIE)
  })
}

/** The first index of ascending values that `after` holds for. */
const firstIndex = (ascending: Float32Array, after: (value: number) => boolean): number => {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (after(ascending[middle])) high = middle
    else low = middle + 1
  }
  return low
}

/** Ranks from 1 for the least likely class, equal ones sharing their mean, divided by the sum of all. */
const ranks = (logits: Outputs): Outputs => {
  const sum = (logits.classes * (logits.classes + 1)) / 2
  return mapRows(logits, (row, out) => {
    const ascending = row.toSorted()
    for (let k = 0; k < row.length; k++) {
      const below = firstIndex(ascending, (value) => value >= row[k])
      const belowOrEqual = firstIndex(ascending, (value) => value > row[k])
      out[k] = (below + belowOrEqual + 1) / 2 / sum
    }
  })
}

/** What a member adds to the weighted mean that a rule takes, from its logits. */
export const contribution = (rule: CombinationRule, logits: Outputs): Outputs => {
  switch (rule) {
    case "MeanProbabilities":
      return softmax(logits)
    case "MeanLogits":
      return logits
    case "MajorityVote":
      return votes(logits)
    case "RankMean":
      return ranks(logits)
  }
}

/**
 * The mean of outputs of one shape. Weights are not negative, at least one is positive; only their ratios count.
 * Anything else is a mistake of the caller and throws a RangeError.
 */
export const weightedMean = (members: ReadonlyArray<Outputs>, weights: ReadonlyArray<number>): Outputs => {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (weights.length !== members.length || !weights.every((weight) => weight >= 0) || !(total > 0))
    throw new RangeError(`these are not weights of ${members.length} members: ${weights.join(", ")}`)
  const [{ classes, images }] = members
  if (members.some((member) => member.images !== images || member.classes !== classes))
    throw new RangeError("members differ in their numbers of images or classes")
  const sum = new Float64Array(images * classes)
  members.forEach(({ values }, m) => {
    const weight = weights[m]
    if (weight > 0) for (let i = 0; i < sum.length; i++) sum[i] += weight * values[i]
  })
  const mean = new Float32Array(sum.length)
  for (let i = 0; i < sum.length; i++) mean[i] = sum[i] / total
  return { images, classes, values: mean }
}

/** Class scores, with a sum of 1 for each image, from the weighted mean of contributions. */
export const scoresOf = (rule: CombinationRule, mean: Outputs): Outputs =>
  rule === "MeanLogits" ? softmax(mean) : mean

/**
 * Class scores of the whole from the logits of its members: not negative, with a sum of 1 for each image. Weights as
 * in `weightedMean`.
 */
export const combine = (
  rule: CombinationRule,
  members: ReadonlyArray<Outputs>,
  weights: ReadonlyArray<number>
): Outputs =>
  scoresOf(
    rule,
    weightedMean(
      members.map((logits) => contribution(rule, logits)),
      weights
    )
  )

/** The class of the largest value of each image; of equal ones the first. */
export const predictions = (scores: Outputs): Uint16Array =>
  Uint16Array.from({ length: scores.images }, (_, i) => argMax(rowOf(scores, i)))

/** Share of images whose largest value is that of their label. */
export const accuracyOf = (scores: Outputs, labels: ArrayLike<number>): number => {
  let correct = 0
  for (let i = 0; i < scores.images; i++) if (argMax(rowOf(scores, i)) === labels[i]) correct++
  return correct / scores.images
}
