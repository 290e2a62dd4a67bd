/**
 * The training program: from an experiment to a folder with a trained network and its result. Composes the device,
 * the data set and the checkpoints; everything that can fail is in its type.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { makeAugmenter } from "./Augment.ts"
import { Checkpoints } from "./Checkpoint.ts"
import { decodeStrictly } from "./Config/Decode.ts"
import type { Experiment, WeightsName } from "./Config.ts"
import { Dataset, type SplitName } from "./Data.ts"
import { Device } from "./Device.ts"
import { judged } from "./Train/Averages/Averages.ts"
import { labelsOf, predict, predictViews } from "./Train/Evaluate/Logits.ts"
import { measure } from "./Train/Evaluate/Measures.ts"
import { viewsOf } from "./Train/Evaluate/View.ts"
import { runEpochs } from "./Train/Loop.ts"
import { describeCompilation, describeForecast, measureSpeed } from "./Train/Probe/Forecast.ts"
import { precisionFor, precisionOf, withPrecision } from "./Train/Probe/Precision.ts"
import { profileStep } from "./Train/Probe/Profile.ts"
import { type Progress, silent } from "./Train/Progress.ts"
import { Counters, START } from "./Train/Run/Counters.ts"
import { findInitialWeights, readInitialWeights } from "./Train/Run/InitialWeights.ts"
import { truncateMetrics } from "./Train/Run/Metrics.ts"
import { type RunResult, wilsonInterval, writeResult } from "./Train/Run/Result.ts"
import { beginRun, continueRun, describeData, environmentOf, RunError } from "./Train/Run/RunConfig.ts"
import { imagesOf, initialWeights, networkFor } from "./Train/Run/Start.ts"
import { readTeachers } from "./Train/Run/Teacher.ts"
import { checkSameData, readTrained } from "./Train/Run/Trained.ts"
import { evaluationEntry } from "./Train/Step/EntryPoints.ts"
import { compileTraining } from "./Train/Step/TrainingProgram.ts"

export { learningRateAt, ScheduleConfig } from "./Config/Schedule.ts"
export { WeightsName } from "./Config.ts"
export { judged, weightsKept } from "./Train/Averages/Averages.ts"
export { averageDecay } from "./Train/Averages/Ema.ts"
export { type Measures, measure } from "./Train/Evaluate/Measures.ts"
export { NonFiniteLoss } from "./Train/Loop.ts"
export type { Progress, StepProgress } from "./Train/Progress.ts"
export type { EpochMetrics } from "./Train/Run/Metrics.ts"
export type { RunResult } from "./Train/Run/Result.ts"
export { type DataDescription, describeData, RunConfig, RunError, readRun } from "./Train/Run/RunConfig.ts"

export interface TrainOptions {
  /** The run's folder; its checkpoints are those of the `Checkpoints` service. */
  readonly directory: string
  /** Continue the run that is there. */
  readonly resume: boolean
  /** Written into the result of a new run: how to get it again. */
  readonly command: string
  /** Threads that augment; 0, unless given, for the one that drives the device. The result is the same. */
  readonly workers?: number | undefined
  /** A file for a Chrome trace of one step. The result is the same. */
  readonly profile?: string | undefined
  readonly progress?: Progress
}

/** A finished run: its result, and the logits [images,classes] of the test split that it was computed from. */
export interface Trained {
  readonly result: RunResult
  readonly logits: Float32Array
}

/** Fails where the data does not make a single batch. */
const checkBatch = ({ train }: Experiment, dataset: Dataset["Service"]): Effect.Effect<void, RunError> => {
  const images = dataset.train.indices.length
  if (train.batchSize <= images) return Effect.void
  return Effect.fail(
    new RunError({
      message: `train.batchSize is ${train.batchSize}, but ${dataset.name} has only ${images} training images`
    })
  )
}

/**
 * Trains an experiment on the `Dataset`, keeps the weights that are best on the validation split, and measures
 * them once on the test split. Interrupted, it saves where it stands.
 */
export const train = Effect.fn("train")(function* (asked: Experiment, options: TrainOptions) {
  const { directory, progress = silent, resume } = options
  const device = yield* Device
  const dataset = yield* Dataset
  const checkpoints = yield* Checkpoints
  yield* checkBatch(asked, dataset)
  const description = describeData(dataset)
  const network = yield* networkFor(asked, description)
  const given = yield* readInitialWeights(asked, network, { needed: !resume })
  const teachers = yield* readTeachers(asked, network, dataset)
  const images = imagesOf(asked, description)
  const compile = {
    network,
    images,
    train: asked.train,
    seed: asked.seed,
    weights: initialWeights(network, asked.seed, dataset, given?.weights),
    teachers
  }
  progress.message(describeCompilation(device.name, asked.train))
  const precision = yield* precisionFor(asked, {
    device,
    compile,
    progress,
    begun: resume ? directory : undefined
  })
  const experiment = withPrecision(asked, precision)
  const config = {
    command: options.command,
    experiment,
    dataset: description,
    ...(teachers.length > 0 && { teachers: teachers.map(({ sha256 }) => sha256) }),
    ...(given && { initialWeights: given.sha256 }),
    environment: environmentOf(device)
  }
  let { command } = options
  if (resume) {
    const begun = yield* continueRun(directory, config)
    command = begun.command
    for (const line of begun.differences) {
      progress.message(`continued in another environment: ${line}; the last bits may differ`)
    }
  }

  const augmenter = yield* makeAugmenter(dataset, {
    batchSize: experiment.train.batchSize,
    pipeline: experiment.augment,
    seed: experiment.seed,
    workers: options.workers
  })
  const program = yield* compileTraining(device, { ...compile, precision })
  let start: Counters = START
  if (!resume) {
    const imagesPerSecond = yield* measureSpeed(program, images, experiment.train)
    const expected = { network, train: experiment.train, dataset, imagesPerSecond }
    for (const line of describeForecast(expected)) progress.message(line)
  } else {
    const { checkpoint, skipped } = yield* checkpoints.find("latest")
    for (const line of skipped) progress.message(`${line}; it is passed over`)
    if (Option.isSome(checkpoint)) {
      yield* program.write(checkpoint.value.tensors)
      start = yield* decodeStrictly(Counters, checkpoint.value.counters).pipe(
        Effect.mapError(
          (problems) =>
            new RunError({
              message: `the checkpoint of step ${checkpoint.value.step} does not say where the run stands: ${problems}`
            })
        )
      )
    } else if (given === undefined) {
      // Nothing was saved: the run begins anew.
      yield* findInitialWeights(experiment)
    }
    progress.message(`continued after step ${start.step}`)
  }
  if (options.profile !== undefined) {
    const lines = yield* profileStep(program, images, experiment.train, options.profile)
    for (const line of lines) progress.message(line)
  }
  if (!resume) yield* beginRun(directory, config)
  yield* truncateMetrics(directory, start.step)

  const end = yield* runEpochs(
    { experiment, network, images, dataset, augmenter, program, checkpoints, directory, progress },
    start
  )

  const weights = judged(experiment.train)
  let selection = `the ${weights} weights of the last epoch; there is no validation split`
  let epochs = experiment.train.epochs
  if (end.best !== null) {
    const { checkpoint } = yield* checkpoints.find("best")
    if (Option.isNone(checkpoint)) {
      return yield* new RunError({ message: `the best checkpoint of the run in ${directory} cannot be read` })
    }
    yield* program.write(checkpoint.value.tensors)
    epochs = end.best.epoch
    selection = `best validation accuracy of the ${weights} weights (${(100 * end.best.accuracy).toFixed(2)} %), epoch ${epochs}`
  }
  const batches = { batchSize: images.batchSize, classes: network.classes }
  const labels = labelsOf(dataset.test)
  const logits = yield* predict(dataset.test, batches, program.classify(weights))
  const { correct, ...measures } = measure(logits.data, labels, network.classes)
  const views = experiment.train.tta && viewsOf(experiment.train.tta, images)
  const shown = views && (yield* predictViews(dataset.test, views, batches, program.classify(weights)))
  const overViews = shown && measure(shown.data, labels, network.classes)
  const result: RunResult = {
    dataset: dataset.name,
    split: "test",
    epochs,
    weights,
    selection,
    ...measures,
    interval: wilsonInterval(correct, measures.images),
    ...(views &&
      overViews && {
        overViews: {
          views: views.length,
          accuracy: overViews.accuracy,
          interval: wilsonInterval(overViews.correct, overViews.images),
          loss: overViews.loss
        }
      }),
    parameters: network.parameters,
    multiplyAdds: network.multiplyAdds,
    trainSeconds: end.seconds,
    seed: experiment.seed,
    command
  }
  yield* writeResult(directory, result)
  return { result, logits: logits.data } satisfies Trained
}, Effect.scoped)

/** A run's measures on one of its splits, with its best weights (the last ones where nothing was selected). */
export const evaluate = Effect.fn("evaluate")(function* (
  directory: string,
  split: SplitName,
  weights: WeightsName
) {
  const device = yield* Device
  const dataset = yield* Dataset
  const trained = yield* readTrained(directory, { weights })
  yield* checkSameData(directory, trained.dataset, dataset)
  const { experiment, network, step } = trained
  const images = imagesOf(experiment, trained.dataset)
  const program = yield* device.compile(
    trained.weights,
    { evaluate: evaluationEntry(network, images) },
    { precision: precisionOf(experiment) }
  )
  const logits = yield* predict(
    dataset[split],
    { batchSize: images.batchSize, classes: network.classes },
    (images) => Effect.map(program.run("evaluate", { images }), ({ logits }) => logits)
  )
  return {
    name: dataset.name,
    step,
    ...measure(logits.data as Float32Array, labelsOf(dataset[split]), network.classes)
  }
}, Effect.scoped)
