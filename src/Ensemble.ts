/**
 * Ensembles: many trained networks, one answer. What each member says of each view of the images is computed once and
 * kept beside its run; everything else is arithmetic on that.
 */
import * as Effect from "effect/Effect"
import type { EnsembleConfig } from "./Config/Ensemble.ts"
import { Dataset, type SplitName } from "./Data.ts"
import { combine, softmax } from "./Ensemble/Combine.ts"
import { EnsembleError } from "./Ensemble/Errors.ts"
import { verifyMember } from "./Ensemble/Member.ts"
import type { Ensemble } from "./Ensemble/Open.ts"
import { computeOutputs, missingOutputs, readOutputs } from "./Ensemble/Outputs.ts"
import { convexWeights } from "./Ensemble/Search/ConvexWeights.ts"
import type { FoundWeights } from "./Ensemble/Search/FoundWeights.ts"
import { greedySelection } from "./Ensemble/Search/GreedySelection.ts"
import { fitTemperature, logProbabilities } from "./Ensemble/Search/Temperature.ts"
import { type EnsembleReport, ensembleStatistics } from "./Ensemble/Statistics.ts"
import { labelsOf } from "./Train/Evaluate/Logits.ts"

export { type EnsembleConfig, type EnsembleInput, sourcesOf } from "./Config/Ensemble.ts"
export { VIEWS } from "./Config/Views.ts"
export { accuracyOf, type CombinationRule, combine, type Outputs, predictions } from "./Ensemble/Combine.ts"
export { decodeEnsemble } from "./Ensemble/Definition.ts"
export { teachersOf } from "./Ensemble/Distil.ts"
export { EnsembleError } from "./Ensemble/Errors.ts"
export type { Member } from "./Ensemble/Member.ts"
export { type Ensemble, openEnsemble } from "./Ensemble/Open.ts"
export { predictEnsemble } from "./Ensemble/Predict.ts"
export { convexWeights } from "./Ensemble/Search/ConvexWeights.ts"
export type { FoundWeights } from "./Ensemble/Search/FoundWeights.ts"
export { greedySelection } from "./Ensemble/Search/GreedySelection.ts"
export { fitTemperature } from "./Ensemble/Search/Temperature.ts"
export { type SeedsOptions, type SeedsResult, trainSeeds } from "./Ensemble/Seeds.ts"
export { type EnsembleReport, ensembleStatistics } from "./Ensemble/Statistics.ts"
export { trainEnsemble } from "./Ensemble/Train.ts"
export { type View, viewsOf } from "./Train/Evaluate/View.ts"

/** Whether every member's outputs for a split are there, so that no device is needed. */
export const isPrepared = Effect.fnUntraced(function* ({ members, views }: Ensemble, split: SplitName) {
  const missing = yield* missingOutputs(members, yield* Dataset, split, views)
  return missing.length === 0
})

/**
 * Computes what members have not said yet of a split's images, one member at a time, and keeps it. All checkpoints
 * that are needed are verified before the first is used. Interrupted, it goes on where it was when it is called again.
 */
export const prepare = Effect.fn("Ensemble.prepare")(function* (
  { members, views }: Ensemble,
  split: SplitName
) {
  const missing = yield* missingOutputs(members, yield* Dataset, split, views)
  for (const { member } of missing) yield* verifyMember(member)
  yield* computeOutputs(missing, split)
})

/** What each member says of a split's images, as logits: the mean over its views. They have been prepared. */
export const memberOutputs = Effect.fnUntraced(function* (
  { config, members, views }: Ensemble,
  split: SplitName
) {
  const dataset = yield* Dataset
  return yield* Effect.forEach(members, (member) =>
    readOutputs(member, dataset, split, views, config.ttaMean)
  )
})

export interface EvaluateOptions {
  readonly split: SplitName
  /** Kept in the report: how to get it again. */
  readonly command: string
}

/** An ensemble's statistics on a split, and the class scores of the whole that they are about. */
export const evaluateEnsemble = Effect.fn("evaluateEnsemble")(function* (
  ensemble: Ensemble,
  { command, split }: EvaluateOptions
) {
  const { config, members } = ensemble
  const dataset = yield* Dataset
  const outputs = yield* memberOutputs(ensemble, split)
  const weights = members.map(({ weight }) => weight)
  const scores = combine(config.rule, outputs, weights)
  const report: EnsembleReport = ensembleStatistics({
    dataset: dataset.name,
    split,
    classes: dataset.classes,
    labels: labelsOf(dataset[split]),
    rule: config.rule,
    members: members.map(({ name, weight }, m) => ({ name, weight, probabilities: softmax(outputs[m]) })),
    scores,
    temperature: config.temperature ?? null,
    selection: config.selection ?? "members and weights as they were given",
    seed: 1,
    command
  })
  return { report, scores }
})

/** Ways to find weights: equal ones, by greedy selection, or the convex ones of least cross entropy. */
export type SearchMethod = "equal" | "greedy" | "convex"

const METHODS: Readonly<Record<SearchMethod, string>> = {
  equal: "equal weights",
  greedy: "weights by greedy selection with replacement (Caruana et al. 2004)",
  convex: "weights of least cross entropy by Newton's method"
}

/**
 * Finds weights, and a temperature, on the validation split; the test split is never used for that. Gives the
 * ensemble's configuration with them.
 *
 * @errors EnsembleError where there is no validation split, or the method does not serve the rule
 */
export const searchEnsemble = Effect.fn("searchEnsemble")(function* (
  ensemble: Ensemble,
  method: SearchMethod
) {
  const { config } = ensemble
  const dataset = yield* Dataset
  const labels = labelsOf(dataset.validation)
  if (labels.length === 0) {
    return yield* new EnsembleError({
      reason: "Search",
      message: `${dataset.name} has no validation images to search on`
    })
  }
  if (method === "convex" && config.rule !== "MeanProbabilities") {
    return yield* new EnsembleError({
      reason: "Search",
      message: `convex weights are found for the rule MeanProbabilities, not for ${config.rule}: use greedy`
    })
  }
  const outputs = yield* memberOutputs(ensemble, "validation")
  const find = (): Pick<FoundWeights, "weights"> => {
    switch (method) {
      case "equal":
        return { weights: outputs.map(() => 1 / outputs.length) }
      case "greedy":
        return greedySelection(config.rule, outputs, labels)
      case "convex":
        return convexWeights(
          outputs.map((logits) => softmax(logits)),
          labels
        )
    }
  }
  const { weights } = find()
  const scores = combine(config.rule, outputs, weights)
  const probabilistic = config.rule === "MeanProbabilities" || config.rule === "MeanLogits"
  const { temperature: _, ...rest } = config
  return {
    ...rest,
    members: config.members.map((member, m) => ({ ...member, weight: weights[m] })),
    ...(probabilistic && { temperature: fitTemperature(logProbabilities(scores), labels) }),
    selection: `${METHODS[method]}${probabilistic ? " and temperature" : ""}, found on ${labels.length} validation images`
  } satisfies EnsembleConfig
})
