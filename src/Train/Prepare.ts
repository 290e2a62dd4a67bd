/** What a training needs before its first step: network, starting weights, teachers, precision, and the compiled program. */
import * as Effect from "effect/Effect"
import { makeAugmenter } from "../Augment.ts"
import { Checkpoints } from "../Checkpoint.ts"
import type { Experiment } from "../Config.ts"
import { Dataset } from "../Data.ts"
import { Device } from "../Device.ts"
import { Registry, stepsFor } from "../Registry.ts"
import { describeCompilation } from "./Probe/Forecast.ts"
import { precisionFor, withPrecision } from "./Probe/Precision.ts"
import { type Progress, silent } from "./Progress.ts"
import { readInitialWeights } from "./Run/InitialWeights.ts"
import { pluginsOf } from "./Run/Plugins.ts"
import { continueRun, describeData, environmentOf, type RunConfig, RunError } from "./Run/RunConfig.ts"
import { imagesOf, initialWeights, networkFor } from "./Run/Start.ts"
import { readTeachers } from "./Run/Teacher.ts"
import { compileTraining } from "./Step/TrainingProgram.ts"
import type { PreparedRun } from "./TrainingRun.ts"

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

/** The command that began a run: of one that is continued its own, after a check that nothing that counts has changed. */
const commandOf = Effect.fnUntraced(function* (
  config: RunConfig,
  { directory, progress = silent, resume }: TrainOptions
) {
  if (!resume) return config.command
  const { command, differences } = yield* continueRun(directory, config)
  for (const line of differences) {
    progress.message(`continued in another environment: ${line}; the last bits may differ`)
  }
  return command
})

/** Reads and compiles everything that a run needs. Its folder is not touched yet. */
export const prepare = Effect.fn("prepare")(function* (asked: Experiment, options: TrainOptions) {
  const { directory, progress = silent, resume, workers } = options
  const device = yield* Device
  const dataset = yield* Dataset
  yield* checkBatch(asked, dataset)
  const description = describeData(dataset)
  const network = yield* networkFor(asked, description)
  const given = yield* readInitialWeights(asked, network, { needed: !resume })
  const teachers = yield* readTeachers(asked, network, dataset)
  const images = imagesOf(asked, description)
  const weights = initialWeights(network, asked.seed, dataset, given?.weights)
  const compile = { network, images, train: asked.train, seed: asked.seed, weights, teachers }
  progress.message(describeCompilation(device.name, asked.train))
  const begun = resume ? directory : undefined
  const precision = yield* precisionFor(asked, { device, compile, progress, begun })
  const experiment = withPrecision(asked, precision)
  const registry = yield* Registry
  const plugins = pluginsOf(registry, experiment)
  const config: RunConfig = {
    command: options.command,
    experiment,
    dataset: description,
    ...(plugins.length > 0 && { plugins }),
    ...(teachers.length > 0 && { teachers: teachers.map(({ sha256 }) => sha256) }),
    ...(given && { initialWeights: given.sha256 }),
    environment: environmentOf(device)
  }
  const command = yield* commandOf(config, options)
  const steps = stepsFor(registry, experiment.augment)
  const { batchSize } = experiment.train
  const { augment: pipeline, seed } = experiment
  const augmenter = yield* makeAugmenter(dataset, { batchSize, pipeline, seed, workers, steps })
  const program = yield* compileTraining(device, { ...compile, precision })
  const checkpoints = yield* Checkpoints
  const common = {
    experiment,
    network,
    images,
    dataset,
    augmenter,
    program,
    checkpoints,
    directory,
    progress,
    registry
  }
  return { ...common, config: { ...config, command } } satisfies PreparedRun
})
