/** The members of an ensemble: whose weights they are, and the network with these when it is their turn. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { judgedBy } from "../Checkpoint.ts"
import { type MemberConfig, sourcesOf } from "../Config/Ensemble.ts"
import type { Experiment, RunWeights, WeightsName } from "../Config.ts"
import { sha256 } from "../Platform/Hash.ts"
import { evaluatedAs, judged, weightsKept } from "../Train/Averages/Averages.ts"
import { openRun } from "../Train/Run/RunFolder.ts"
import { readTrained } from "../Train/Start/Trained.ts"
import { EnsembleError } from "./Errors.ts"
import { soupOf } from "./Soup.ts"

/** Weights of a run, found but not read. */
export interface Source {
  readonly config: RunWeights
  readonly experiment: Experiment
  readonly weights: WeightsName
  /** Steps after which they were kept. */
  readonly step: number
  /** Differs where the weights do. */
  readonly key: string
}

export interface Member {
  /** For people. */
  readonly name: string
  readonly weight: number
  /** More than one is a soup. */
  readonly sources: ReadonlyArray<Source>
  /** Differs where the weights do. */
  readonly key: string
  /** Where its outputs are kept: beside the run that its (first) weights come from. */
  readonly folder: string
}

/** Reads a source's network and weights: those that were found, not older ones in place of damaged ones. */
const read = Effect.fnUntraced(function* ({ config: { checkpoint, run }, step, weights }: Source) {
  const trained = yield* readTrained(run, { checkpoint, weights })
  if (trained.step === step) return trained
  return yield* new EnsembleError({
    reason: "DamagedCheckpoint",
    message: `the checkpoint of step ${step} of the run in ${run} is damaged, or was replaced meanwhile: there is that of step ${trained.step}`
  })
})

/** Finds the weights that a configuration names. */
const findSource = Effect.fnUntraced(function* (config: RunWeights) {
  const { checkpoint, run } = config
  const { checkpoints, config: runConfig } = openRun(run)
  const { experiment } = yield* runConfig
  const { identity, skipped } = yield* checkpoints.identify(checkpoint ?? (yield* judgedBy(checkpoints)))
  // Weights of an older state would be others than those that were asked for.
  if (skipped.length > 0) {
    return yield* new EnsembleError({
      reason: "DamagedCheckpoint",
      message: `the run in ${run} cannot be a member: ${skipped[0]}`
    })
  }
  if (Option.isNone(identity)) {
    const which = typeof checkpoint === "number" ? `snapshot ${checkpoint}` : `${checkpoint ?? ""} checkpoint`
    return yield* new EnsembleError({
      reason: "NoCheckpoint",
      message: `the run in ${run} has no ${which.trim()}`
    })
  }
  const weights = config.weights ?? judged(experiment.train)
  if (evaluatedAs(experiment.train, weights) === undefined) {
    return yield* new EnsembleError({
      reason: "NoWeights",
      message: `the run in ${run} has no ${weights} weights: it has ${weightsKept(experiment.train).join(" and ")}`
    })
  }
  const { sha256, step } = identity.value
  return { config, experiment, weights, step, key: `${sha256} ${weights}` } satisfies Source
})

const nameOf = ({ config: { checkpoint, run }, weights }: Source): string => {
  const which =
    typeof checkpoint === "number" ? `, snapshot ${checkpoint}` : checkpoint === "latest" ? ", latest" : ""
  return `${path.basename(path.resolve(run))} (${weights}${which})`
}

/** Finds a member's weights. */
export const findMember = Effect.fnUntraced(function* (config: MemberConfig) {
  const sources = yield* Effect.forEach(sourcesOf(config), findSource)
  const [first] = sources
  const soup = sources.length > 1
  return {
    name: soup ? `soup of ${sources.map(nameOf).join(", ")}` : nameOf(first),
    weight: config.weight,
    sources,
    key: sha256([sources.map(({ key }) => key).join("\n")]),
    folder: openRun(first.config.run).outputs
  } satisfies Member
})

/** A member's network with its weights. A soup takes the `Dataset`, and a pass over its training images. */
export const loadMember = Effect.fn("loadMember")(function* (member: Member) {
  if (member.sources.length === 1) return yield* read(member.sources[0])
  return yield* soupOf(member.sources.map(read))
})

/** Fails where a member's weights cannot be read; holds those of one source at a time. */
export const verifyMember = (member: Member) => Effect.forEach(member.sources, read, { discard: true })
