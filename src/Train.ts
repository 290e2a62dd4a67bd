/**
 * The training program: from an experiment to a folder with a trained network and its result. Composes the device,
 * the data set and the checkpoints; everything that can fail is in its type.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Experiment } from "./Config.ts"
import { splitNamed } from "./Data/Split.ts"
import { Dataset, type SplitName } from "./Data.ts"
import { Device } from "./Device.ts"
import { isFirst, Replicas } from "./Distributed.ts"
import { message, publish } from "./Events.ts"
import { logged } from "./Log.ts"
import { begin, resume } from "./Train/BeginOrResume.ts"
import { labelsOf, predict } from "./Train/Evaluate/Logits.ts"
import { measure } from "./Train/Evaluate/Measures.ts"
import { follow, shareStart } from "./Train/Follow.ts"
import { runEpochs } from "./Train/Loop.ts"
import { finish, measureTest, type Trained } from "./Train/MeasureTest.ts"
import { prepare, type TrainOptions } from "./Train/Prepare.ts"
import { precisionOf } from "./Train/Probe/Precision.ts"
import { profileStep } from "./Train/Probe/Profile.ts"
import { checkSameData, describeData } from "./Train/Run/DataDescription.ts"
import { imagesOf } from "./Train/Start/Network.ts"
import { readTrained, type WeightsChoice } from "./Train/Start/Trained.ts"
import { evaluationEntry } from "./Train/Step/EntryPoints.ts"
import type { PreparedRun, TrainingRun } from "./Train/TrainingRun.ts"

export { learningRateAt, ScheduleConfig } from "./Config/Schedule.ts"
export type { WeightsName } from "./Config.ts"
export type { EpochMetrics } from "./Events.ts"
export { judged, weightsKept } from "./Train/Averages/Averages.ts"
export { averageDecay } from "./Train/Averages/Ema.ts"
export { type Measures, measure } from "./Train/Evaluate/Measures.ts"
export { NonFiniteLoss } from "./Train/Loop.ts"
export type { Trained } from "./Train/MeasureTest.ts"
export { defineOptimizer, type Optimizer } from "./Train/Optimizer/Define.ts"
export type { OptimizerInput } from "./Train/Optimizer/Optimizer.ts"
export type { TrainOptions } from "./Train/Prepare.ts"
export { type DataDescription, describeData } from "./Train/Run/DataDescription.ts"
export type { RunResult } from "./Train/Run/Result.ts"
export type { RunConfig } from "./Train/Run/RunConfig.ts"
export { RunError } from "./Train/Run/RunError.ts"
export { openRun, RunFolder, type RunReader } from "./Train/Run/RunFolder.ts"
export { SaveRequests } from "./Train/Run/SaveRequests.ts"
export { chooseWeights, type WeightsChoice } from "./Train/Start/Trained.ts"

export { crossEntropy, defineLoss, type LossFunction, type LossInput } from "./Train/Step/Loss.ts"

/** Has the loggers that an experiment names hear of its training; of several replicas the first one tells of it. */
const toLoggers = <A, E, R>(
  training: Effect.Effect<A, E, R>,
  { train }: Experiment
): Effect.Effect<A, E, R> =>
  Effect.flatMap(Replicas, (replicas) => (isFirst(replicas) ? logged(train.log)(training) : training))

/**
 * Trains an experiment on the `Dataset` in the `RunFolder`: a new run, or the one that is there. Keeps the weights that
 * are best on the validation split, and measures them once on the test split. Interrupted, it saves where it stands.
 */
export const train = Effect.fn("train")(
  function* <E = never, R = never>(
    experiment: Experiment,
    options: TrainOptions & {
      /** Done when everything is measured, before the run counts as finished; for instance `writeReport`. */
      readonly whenTrained?: (trained: Trained) => Effect.Effect<unknown, E, R>
    }
  ) {
    const run = yield* prepare(experiment, options)
    if (options.profile !== undefined) yield* profile(run, options.profile)
    const start = yield* startOf(run)
    const { epoch, step } = start
    yield* publish({
      ...{ _tag: "Started", directory: run.folder.directory, experiment: run.experiment },
      ...{ epoch, step }
    })
    const end = yield* runEpochs(run, start)
    const trained = yield* measureTest(run, end)
    if (options.whenTrained !== undefined) yield* options.whenTrained(trained)
    yield* finish(run, trained)
    return trained
  },
  toLoggers,
  Effect.scoped
)

/** Where a run begins or goes on; all replicas are told where the first one does. */
const startOf = Effect.fnUntraced(function* (run: PreparedRun) {
  const { folder, replicas } = run
  const first = Option.isSome(folder.begun) ? resume(run) : begin(run)
  const own = yield* isFirst(replicas) ? first : follow(run)
  return replicas.share === undefined ? own : yield* shareStart(run, own)
})

const profile = Effect.fnUntraced(function* (run: TrainingRun, file: string) {
  const { experiment, images, program, replicas } = run
  const written = isFirst(replicas) ? file : undefined
  for (const line of yield* profileStep(program, images, experiment.train, written)) yield* message(line)
})

/** A run's measures on one of its splits, with its best weights (the last ones where nothing was selected) or others. */
export const evaluate = Effect.fn("evaluate")(function* (
  directory: string,
  split: SplitName,
  choice: WeightsChoice = {}
) {
  const device = yield* Device
  const dataset = yield* Dataset
  const trained = yield* readTrained(directory, choice)
  yield* checkSameData(directory, trained.dataset, describeData(dataset))
  const measured = yield* splitNamed(dataset, split)
  const { experiment, network, skipped, step } = trained
  const images = imagesOf(experiment, trained.dataset)
  const program = yield* device.compile(
    trained.weights,
    { evaluate: evaluationEntry(network, images) },
    { precision: precisionOf(experiment) }
  )
  const logits = yield* predict(
    measured,
    { batchSize: images.batchSize, classes: network.classes },
    (images) => Effect.map(program.run("evaluate", { images }), ({ logits }) => logits)
  )
  return {
    name: dataset.name,
    step,
    /** A line for each damaged checkpoint that was passed over. */
    skipped,
    ...measure(logits.data as Float32Array, labelsOf(measured), network.classes)
  }
}, Effect.scoped)
