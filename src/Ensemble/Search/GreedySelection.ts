/** Weights of an ensemble's members by greedy selection with replacement. */
import {
  accuracyOf,
  type CombinationRule,
  contribution,
  type Outputs,
  scoresOf,
  weightedMean
} from "../Combine.ts"
import { type FoundWeights, type Reached, reached } from "./FoundWeights.ts"

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
