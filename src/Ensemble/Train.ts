/** Trains the runs that an ensemble's members come from. */
import * as Effect from "effect/Effect"
import { type EnsembleConfig, sourcesOf } from "../Config/Ensemble.ts"
import type { Experiment, RunWeights } from "../Config.ts"
import { Dataset } from "../Data.ts"
import { isOwn, type Share } from "../Distributed.ts"
import { message } from "../Events.ts"
import { decodeExperiment } from "../Experiment.ts"
import { Registry } from "../Registry.ts"
import { smokeDataset, smokeExperiment } from "../Train/Probe/DryRun.ts"
import { checkSameExperiment } from "../Train/Run/RunConfig.ts"
import { RunError } from "../Train/Run/RunError.ts"
import { openRun, RunFolder } from "../Train/Run/RunFolder.ts"
import { type Trained, train } from "../Train.ts"
import { experimentOf } from "./Definition.ts"
import { EnsembleError } from "./Errors.ts"

export interface TrainEnsembleOptions<E = never, R = never> {
  /** Written into the results of new runs: how to get them again. */
  readonly command: string
  /** Threads that augment, as in `train`. */
  readonly workers?: number | undefined
  /**
   * Where several processes share the runs, on storage that they share: which are this one's. A run that another process
   * has is left to it then.
   */
  readonly share?: Share | undefined
  /** Done with each run, as in `train`. */
  readonly whenTrained?: (trained: Trained) => Effect.Effect<unknown, E, R>
}

interface Planned {
  readonly run: string
  readonly experiment: Experiment
}

/**
 * Which runs, of all or of a share of them, are not finished, in the order of the members that need them, and what is
 * trained there.
 *
 * @errors EnsembleError, ConfigError, RunError, StorageError where one cannot be trained as the ensemble says
 */
export const unfinishedRuns = Effect.fnUntraced(function* (config: EnsembleConfig, share?: Share) {
  const runs = [...new Set(config.members.flatMap((member) => sourcesOf(member).map(({ run }) => run)))]
  const planned: Array<Planned> = []
  for (const [n, run] of runs.entries()) {
    if (share !== undefined && !isOwn(share, n)) continue
    if (yield* openRun(run).isFinished) continue
    const experiment = yield* experimentOf(config, run)
    if (experiment === undefined) {
      return yield* new EnsembleError({
        reason: "NoRun",
        message: `there is no finished run in ${run}, and its member does not say what to train there: give it a recipe or an experiment`
      })
    }
    const decoded = yield* decodeExperiment(experiment)
    if (yield* openRun(run).isBegun) {
      const before = yield* openRun(run).config
      yield* checkSameExperiment(run, before.experiment, decoded)
    }
    planned.push({ run, experiment: decoded })
  }
  return planned
})

const isTaken = (error: unknown): boolean =>
  error instanceof RunError && (error.reason === "InUse" || error.reason === "AlreadyThere")

/**
 * Trains every run of an ensemble that is not finished, one after another, each in its own folder with its own
 * result; one that was begun goes on where it was. Whatever is wrong with a configuration is found before
 * the first one starts.
 */
export const trainEnsemble = Effect.fn("trainEnsemble")(function* <E = never, R = never>(
  config: EnsembleConfig,
  { command, share, whenTrained = () => Effect.void, workers }: TrainEnsembleOptions<E, R>
) {
  for (const { experiment, run } of yield* unfinishedRuns(config, share)) {
    // Others may have trained it meanwhile.
    if (share !== undefined && (yield* openRun(run).isFinished)) continue
    const resume = yield* openRun(run).isBegun
    yield* message(`${resume ? "going on with" : "training"} ${run}`)
    yield* train(experiment, { command, workers, whenTrained }).pipe(
      Effect.provide(resume ? RunFolder.resume(run) : RunFolder.create({ directory: run })),
      Effect.catchIf(
        (error) => share !== undefined && isTaken(error),
        () => message(`${run} is trained by another process, and is left to it`)
      )
    )
  }
})

/** The ensemble whose runs, in folders beside the real ones, are trials of two steps. */
export const smokeEnsemble = Effect.fnUntraced(function* (config: EnsembleConfig) {
  // A trial ends before its first cycle does.
  const smoke = <A extends RunWeights>({ checkpoint, run, ...rest }: A) => ({
    ...rest,
    ...(typeof checkpoint === "string" && { checkpoint }),
    run: `${run}-smoke`
  })
  const members = yield* Effect.forEach(config.members, (member) =>
    Effect.gen(function* () {
      if ("soup" in member) return { ...member, soup: member.soup.map(smoke) }
      const { experiment: _, recipe: __, ...rest } = smoke(member)
      const experiment = yield* experimentOf(config, member.run)
      if (experiment === undefined) return rest
      const { schedules } = yield* Registry
      return { ...rest, experiment: smokeExperiment(yield* decodeExperiment(experiment), schedules) }
    })
  )
  return { ...config, name: `${config.name}-smoke`, members } satisfies EnsembleConfig
})

/** As much of the data set as the trials take. */
export const smokeEnsembleData = Effect.fnUntraced(function* (config: EnsembleConfig) {
  const dataset = yield* Dataset
  const experiments = yield* unfinishedRuns(config)
  const [largest] = experiments
    .map(({ experiment }) => experiment)
    .sort((a, b) => b.train.batchSize - a.train.batchSize)
  return largest === undefined ? dataset : smokeDataset(dataset, largest)
})
