/** What more members bring: the accuracy of smaller ensembles of some of them. */
import { type Draws, draws, shuffle } from "../../Random.ts"
import { accuracyOf, type CombinationRule, contribution, type Outputs, weightedMean } from "../Combine.ts"

/** The accuracy of ensembles of so many members. */
export interface SizeAccuracy {
  readonly size: number
  /** How many sets of members were measured, and whether these are all that there are. */
  readonly sets: number
  readonly all: boolean
  readonly mean: number
  readonly min: number
  readonly max: number
}

/** More sets than this of one size are not measured. */
const SETS = 256

/** Number of sets of `size` out of `count` members. */
const combinations = (count: number, size: number): number => {
  let result = 1
  for (let k = 1; k <= size; k++) result = (result * (count - size + k)) / k
  return result
}

/** All ascending sets of `size` of the members from `first` on. */
const allSets = (count: number, size: number, first = 0): ReadonlyArray<ReadonlyArray<number>> =>
  size === 0
    ? [[]]
    : Array.from({ length: Math.max(0, count - size + 1 - first) }, (_, i) => first + i).flatMap((member) =>
        allSets(count, size - 1, member + 1).map((rest) => [member, ...rest])
      )

/** Some ascending sets, each another one. */
const someSets = (count: number, size: number, random: Draws): ReadonlyArray<ReadonlyArray<number>> => {
  const sets = new Map<string, ReadonlyArray<number>>()
  while (sets.size < SETS) {
    const all = Array.from({ length: count }, (_, member) => member)
    const set = shuffle(all, random)
      .slice(0, size)
      .sort((a, b) => a - b)
    sets.set(set.join(), set)
  }
  return [...sets.values()]
}

/**
 * Accuracy against the number of members, from 1 to `count`: over all sets of each size, or over 256 random ones where
 * there are more. `accuracyOfSet` measures the ensemble of the members with these ascending indices.
 */
export const accuracyBySize = (
  count: number,
  accuracyOfSet: (members: ReadonlyArray<number>) => number,
  seed: number
): ReadonlyArray<SizeAccuracy> =>
  Array.from({ length: count }, (_, i) => {
    const size = i + 1
    const all = combinations(count, size) <= SETS
    const sets = all ? allSets(count, size) : someSets(count, size, draws(seed, "ensemble size", size))
    const accuracies = sets.map(accuracyOfSet)
    return {
      size,
      sets: sets.length,
      all,
      mean: accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / sets.length,
      min: Math.min(...accuracies),
      max: Math.max(...accuracies)
    }
  })

/** The accuracy of any set of members, combined by a rule with equal weights, from the logits of all members. */
export const equallyWeighted = (
  rule: CombinationRule,
  members: ReadonlyArray<Outputs>,
  labels: ArrayLike<number>
): ((set: ReadonlyArray<number>) => number) => {
  const contributions = members.map((logits) => contribution(rule, logits))
  // What a rule makes of the mean keeps its order.
  return (set) =>
    accuracyOf(
      weightedMean(
        set.map((member) => contributions[member]),
        set.map(() => 1)
      ),
      labels
    )
}
