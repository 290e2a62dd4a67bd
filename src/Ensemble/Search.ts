/** Weights of an ensemble's members, found on images that neither trained nor test it. */
import {
  accuracyOf,
  type CombinationRule,
  contribution,
  type Outputs,
  scoresOf,
  weightedMean
} from "./Combine.ts"
import { negativeLogLikelihood } from "./Temperature.ts"

/** Weights with what the whole reaches with them on the images that they were found on. */
export interface FoundWeights {
  /** Of each member, with a sum of 1. */
  readonly weights: ReadonlyArray<number>
  readonly accuracy: number
  /** Mean cross entropy (nats) of the scores. */
  readonly loss: number
}

type Reached = Pick<FoundWeights, "accuracy" | "loss">

const reached = (scores: Outputs, labels: ArrayLike<number>): Reached => ({
  accuracy: accuracyOf(scores, labels),
  loss: negativeLogLikelihood(scores, labels)
})

const better = (a: Reached, b: Reached): boolean =>
  a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.loss < b.loss)

/** How many members are picked, the same ones again included. */
const PICKS = 50

/** (sum + added) / count: the weighted mean, but for the last bits. */
const meanWith = (sum: Float64Array, added: Outputs, count: number): Outputs => {
  const values = new Float32Array(sum.length)
  for (let i = 0; i < sum.length; i++) values[i] = (sum[i] + added.values[i]) / count
  return { ...added, values }
}

/**
 * Greedy selection with replacement, for any rule, from the members' logits: members are picked one after another,
 * each time the one with which the whole is most often right, and of those the one with the least cross entropy. The
 * best of all the sets on the way is kept (the smallest of equally good ones), and the weight of a member is its share
 * of the picks. The result is never less often right than the best single member, on these images.
 *
 * Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble selection from libraries of models", ICML 2004, section 2.1.
 */
export const greedySelection = (
  rule: CombinationRule,
  members: ReadonlyArray<Outputs>,
  labels: ArrayLike<number>
): FoundWeights => {
  const contributions = members.map((logits) => contribution(rule, logits))
  const sum = new Float64Array(members[0].values.length)
  const picks = members.map(() => 0)
  let best: FoundWeights | undefined
  for (let count = 1; count <= PICKS; count++) {
    const means = contributions.map((added) => meanWith(sum, added, count))
    const accuracies = means.map((mean) => accuracyOf(mean, labels))
    const highest = Math.max(...accuracies)
    const next = means
      .flatMap((mean, member) =>
        accuracies[member] === highest ? [{ member, ...reached(scoresOf(rule, mean), labels) }] : []
      )
      .reduce((chosen, candidate) => (better(candidate, chosen) ? candidate : chosen))
    picks[next.member]++
    contributions[next.member].values.forEach((value, i) => {
      sum[i] += value
    })
    const weights = picks.map((pick) => pick / count)
    // Classes that tie, as ranks often do, are told apart by last bits: what counts is what these weights give.
    const whole = reached(scoresOf(rule, weightedMean(contributions, weights)), labels)
    if (best === undefined || better(whole, best)) best = { weights, ...whole }
  }
  return best!
}

/** The loss is at most this far (nats) above the least possible one. */
const TOLERANCE = 1e-6
const ITERATIONS = 10_000

/** A label's probability counts as no less than this. */
const SMALLEST = 1e-30

/**
 * The weights with which the mean of the members' probabilities, the rule `MeanProbabilities`, has the least cross
 * entropy. They are the weights of a mixture with fixed components, which expectation maximisation finds: each weight
 * is multiplied by the mean, over images, of its member's probability of the label divided by the mixture's. The loss
 * never rises on the way, and as it is convex, the largest of these factors tells how far it is above its minimum.
 *
 * Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977, section 4.3.
 */
export const convexWeights = (
  probabilities: ReadonlyArray<Outputs>,
  labels: ArrayLike<number>
): FoundWeights => {
  const [{ classes, images }] = probabilities
  const ofLabels = probabilities.map(({ values }) =>
    Float64Array.from({ length: images }, (_, i) => Math.max(values[i * classes + labels[i]], SMALLEST))
  )
  let weights = probabilities.map(() => 1 / probabilities.length)
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const factors = probabilities.map(() => 0)
    for (let i = 0; i < images; i++) {
      let mixture = 0
      for (let m = 0; m < weights.length; m++) mixture += weights[m] * ofLabels[m][i]
      for (let m = 0; m < weights.length; m++) factors[m] += ofLabels[m][i] / mixture / images
    }
    if (Math.max(...factors) <= 1 + TOLERANCE) break
    weights = weights.map((weight, m) => weight * factors[m])
  }
  return { weights, ...reached(weightedMean(probabilities, weights), labels) }
}
