/** What a training needs before its first step: network, starting weights, teachers, precision, and the compiled program. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { makeAugmenter } from "../Augment.ts"
import type { Experiment } from "../Config.ts"
import { Dataset } from "../Data.ts"
import { Device } from "../Device.ts"
import { isFirst, placesOf, ReplicaError, Replicas, type ReplicasShape } from "../Distributed.ts"
import { publish, warning } from "../Events.ts"
import { fromPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import { Registry, stepsFor } from "../Registry.ts"
import { spanned } from "./Observe.ts"
import { describeCompilation } from "./Probe/Forecast.ts"
import { precisionFor, withPrecision } from "./Probe/Precision.ts"
import { checkSameData, type DataDescription, describeData } from "./Run/DataDescription.ts"
import { pluginsOf } from "./Run/Plugins.ts"
import {
  asBegun,
  checkSameExperiment,
  continueRun,
  environmentOf,
  FOLDER_VERSION,
  type RunConfig
} from "./Run/RunConfig.ts"
import { RunFolder } from "./Run/RunFolder.ts"
import { NOTHING_SAVED, readSavedState } from "./Run/SavedState.ts"
import { checkImages } from "./Start/Images.ts"
import { readInitialWeights } from "./Start/InitialWeights.ts"
import { checkMemory } from "./Start/Memory.ts"
import { imagesOf, initialWeights, networkFor } from "./Start/Network.ts"
import { readTeachers } from "./Start/Teacher.ts"
import { Programs } from "./Step/Programs.ts"
import type { PreparedRun } from "./TrainingRun.ts"

export interface TrainOptions {
  /** Written into the result of a new run: how to get it again. */
  readonly command: string
  /** Threads that augment; 0, unless given, for the one that drives the device. The result is the same. */
  readonly workers?: number | undefined
  /** A file for a Chrome trace of one step. The result is the same. */
  readonly profile?: string | undefined
}

/** Fails where several replicas cannot share a training. */
const checkShared = ({ train }: Experiment, { share }: ReplicasShape): Effect.Effect<void, ReplicaError> => {
  const { batchSize, gradientAccumulationSteps: parts, precision } = train
  const unsupported = (message: string) => Effect.fail(new ReplicaError({ reason: "Unsupported", message }))
  if (share === undefined) return Effect.void
  if (precision === "fastest") {
    return unsupported(
      "train.precision is fastest, which is measured on one device: several replicas take float32 or bfloat16"
    )
  }
  if (batchSize % (parts * share.count) === 0) return Effect.void
  const what =
    parts === 1 ? "train.batchSize" : `a part of train.batchSize ${batchSize}, of which there are ${parts},`
  return unsupported(`${what} is ${batchSize / parts}, which ${share.count} replicas cannot share evenly`)
}

/**
 * What is asked for as the run has it that is continued, where it is the same in everything that counts, and the state
 * that it goes on from. A run that has no whole state is found out here, before anything is compiled.
 */
const agreed = Effect.fnUntraced(function* (
  asked: Experiment,
  folder: RunFolder["Service"],
  description: DataDescription
) {
  const { begun, directory } = folder
  if (Option.isNone(begun)) return { asked, saved: NOTHING_SAVED }
  yield* checkSameExperiment(directory, begun.value.experiment, asked)
  yield* checkSameData(directory, begun.value.dataset, description)
  const saved = yield* readSavedState(folder)
  return { asked: asBegun(begun.value.experiment, asked), saved }
})

/** The configuration of a run that is continued stays its own; how the environment differs is told. */
const continued = Effect.fnUntraced(function* (
  config: RunConfig,
  { begun, directory }: RunFolder["Service"]
) {
  if (Option.isNone(begun)) return config
  const { config: own, differences } = yield* continueRun(directory, begun.value, config)
  for (const line of differences) {
    yield* warning(`continued in another environment: ${line}; the last bits may differ`)
  }
  return own
})

/** Reads and compiles everything that a run needs. Nothing is written into its folder yet. */
export const prepare = Effect.fn("prepare")(function* (experiment: Experiment, options: TrainOptions) {
  const { workers } = options
  const device = yield* Device
  const dataset = yield* Dataset
  const folder = yield* RunFolder
  const replicas = yield* Replicas
  const { share } = replicas
  yield* checkImages(experiment, dataset)
  yield* checkShared(experiment, replicas)
  const description = describeData(dataset)
  const { asked, saved } = yield* agreed(experiment, folder, description)
  const network = yield* networkFor(asked, description)
  yield* checkMemory(asked, network)
  const given = yield* readInitialWeights(asked, network, {
    needed: isFirst(replicas) && saved.tensors === undefined
  })
  const teachers = yield* readTeachers(asked, network, dataset)
  const images = imagesOf(asked, description, share?.count)
  const weights = initialWeights(network, asked.seed, dataset, given?.weights)
  const compile = {
    network,
    images,
    train: asked.train,
    seed: asked.seed,
    weights,
    teachers,
    replicas: share
  }
  yield* publish({ _tag: "Compiling", text: describeCompilation(device.name, asked.train) })
  const precision = yield* precisionFor(asked, { device, compile })
  const chosen = withPrecision(asked, precision)
  const registry = yield* Registry
  const plugins = pluginsOf(registry, chosen)
  const now: RunConfig = {
    version: FOLDER_VERSION,
    command: options.command,
    experiment: chosen,
    dataset: description,
    ...(plugins.length > 0 && { plugins }),
    ...(teachers.length > 0 && { teachers: teachers.map(({ sha256 }) => sha256) }),
    ...(given && { initialWeights: given.sha256 }),
    environment: environmentOf(device)
  }
  const config = yield* continued(now, folder)
  const steps = stepsFor(registry, chosen.augment)
  const { batchSize, gradientAccumulationSteps } = chosen.train
  const places = share && placesOf(share, batchSize, gradientAccumulationSteps)
  const { augment: pipeline, seed } = chosen
  const augmenter = yield* makeAugmenter(dataset, { batchSize, pipeline, places, seed, workers, steps })
  const [elapsed, program] = yield* Effect.timed(
    (yield* Programs)
      .compile(device, { ...compile, precision })
      .pipe(spanned("compile", { network: network.name }))
  )
  yield* replicas.onLost(program.abort)
  yield* publish({ _tag: "Compiled", seconds: Duration.toSeconds(elapsed) })
  const { counters, told, tensors } = saved
  if (tensors !== undefined) yield* program.write(fromPyTorch(network, tensors))
  const parts = { network, images, dataset, augmenter, program }
  // The state's tensors are the device's from here on.
  return {
    ...parts,
    experiment: chosen,
    config,
    folder,
    registry,
    replicas,
    saved: { counters, told }
  } satisfies PreparedRun
})
