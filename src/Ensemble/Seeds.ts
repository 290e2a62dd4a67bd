/** One experiment with several seeds, one run after another: how much of an accuracy is chance. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { Experiment } from "../Config.ts"
import { message } from "../Events.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import { precisionOf, withPrecision } from "../Train/Probe/Precision.ts"
import { type MeanInterval, meanInterval } from "../Train/Run/Interval.ts"
import type { RunResult } from "../Train/Run/Result.ts"
import { checkSameExperiment } from "../Train/Run/RunConfig.ts"
import { openRun, RunFolder } from "../Train/Run/RunFolder.ts"
import { keptPrograms, Programs } from "../Train/Step/Programs.ts"
import { type Trained, type TrainOptions, train } from "../Train.ts"

export interface SeedsOptions<E = never, R = never> extends Omit<TrainOptions, "profile"> {
  /** The folder of the runs, which are called `seed-N`. */
  readonly root: string
  /** Done with each run, as in `train`. */
  readonly whenTrained?: (trained: Trained) => Effect.Effect<unknown, E, R>
}

/** What came of the seeds. */
export interface SeedsResult {
  readonly name: string
  readonly runs: ReadonlyArray<{
    readonly seed: number
    readonly accuracy: number
    /** With the experiment's views of each image, where it has some. */
    readonly overViews?: number
    /** Seconds of training, without compiling, start and evaluation. */
    readonly trainSeconds: number
  }>
  readonly accuracy: MeanInterval
  readonly overViews?: MeanInterval
  readonly trainSeconds: MeanInterval
}

const summary = (name: string, results: ReadonlyArray<RunResult>): SeedsResult => {
  const views = results.flatMap(({ overViews }) => (overViews === undefined ? [] : [overViews.accuracy]))
  return {
    name,
    runs: results.map(({ accuracy, overViews, seed, trainSeconds }) => ({
      ...{ seed, accuracy, trainSeconds },
      ...(overViews && { overViews: overViews.accuracy })
    })),
    accuracy: meanInterval(results.map(({ accuracy }) => accuracy)),
    ...(views.length > 0 && { overViews: meanInterval(views) }),
    trainSeconds: meanInterval(results.map(({ trainSeconds }) => trainSeconds))
  }
}

/**
 * Trains an experiment with each of some seeds, in the folders `root/seed-N`. Finished runs are taken as they are, and one
 * that was begun goes on, so that the same call goes on after an interruption. The program is compiled once; each run has
 * the bits that it has alone. Writes what came of them into `root/seeds.json`.
 *
 * @errors those of `train`; RunError where a folder has a run of another experiment
 */
export const trainSeeds = Effect.fn("trainSeeds")(function* <E = never, R = never>(
  experiment: Experiment,
  seeds: ReadonlyArray<number>,
  { root, ...options }: SeedsOptions<E, R>
) {
  const programs = yield* keptPrograms
  const results: Array<RunResult> = []
  // Where the fastest precision is measured, the first run's is that of all.
  let same = experiment
  for (const seed of seeds) {
    const directory = path.join(root, `seed-${seed}`)
    const run = openRun(directory)
    const isBegun = yield* run.isBegun
    if (isBegun) {
      const { experiment: before } = yield* run.config
      yield* checkSameExperiment(directory, before, { ...same, seed })
      same = withPrecision(same, precisionOf(before))
    }
    if (!(yield* run.isFinished)) {
      yield* message(`seed ${seed}, ${results.length + 1} of ${seeds.length}`)
      yield* train({ ...same, seed }, options).pipe(
        Effect.provide(isBegun ? RunFolder.resume(directory) : RunFolder.create({ directory })),
        Effect.provideService(Programs, programs)
      )
      same = withPrecision(same, precisionOf((yield* run.config).experiment))
    }
    results.push(yield* run.result)
  }
  const result = summary(experiment.name, results)
  yield* writeFileAtomic(path.join(root, "seeds.json"), `${JSON.stringify(result, null, 2)}\n`)
  return result
}, Effect.scoped)
