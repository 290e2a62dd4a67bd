/** Networks of finished runs, as teachers of another one. */
import * as Effect from "effect/Effect"
import type { Experiment, TeacherConfig } from "../../Config.ts"
import type { LoadedDataset } from "../../Data.ts"
import type { Network } from "../../Model/Network.ts"
import { sha256 } from "../../Platform/Hash.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { checkSameData, describeData } from "../Run/DataDescription.ts"
import { RunError } from "../Run/RunError.ts"
import { openRun } from "../Run/RunFolder.ts"
import { readTrained } from "./Trained.ts"

export interface Teacher {
  readonly network: Network
  /** Those that its run's result was measured with. */
  readonly weights: TensorRecord
  /** In the mean of all teachers' probabilities. */
  readonly share: number
  /** SHA-256 (hex) of the weights. */
  readonly sha256: string
}

const hashOf = (weights: TensorRecord): string =>
  sha256(Object.entries(weights).flatMap(([name, { data, shape }]) => [`${name} ${shape.join(",")}\n`, data]))

const cannotTeach = (directory: string, why: string): RunError =>
  new RunError({
    reason: "NotATeacher",
    directory,
    message: `the run in ${directory} cannot teach: ${why}`
  })

/**
 * The network of a finished run, for a data set.
 *
 * @errors RunError where the run is not finished, has no checkpoint or was trained on other data.
 */
const readTeacher = Effect.fn("readTeacher")(function* (config: TeacherConfig, dataset: LoadedDataset) {
  const { run: directory, ...choice } = typeof config === "string" ? { run: config } : config
  const trained = yield* readTrained(directory, choice)
  yield* checkSameData(directory, trained.dataset, describeData(dataset))
  // Weights of an older state would be others than those that its result is about.
  if (trained.skipped.length > 0) return yield* cannotTeach(directory, trained.skipped[0])
  if (!(yield* openRun(directory).isFinished))
    return yield* cannotTeach(directory, "it has not come to its end")
  return { ...trained, directory, sha256: hashOf(trained.weights) }
})

const weightOf = (config: TeacherConfig): number => (typeof config === "string" ? 1 : config.weight)

/** The teachers of an experiment, which have as many classes as its network. */
export const readTeachers = Effect.fn("readTeachers")(function* (
  { train }: Experiment,
  { classes }: Network,
  dataset: LoadedDataset
) {
  const configs = train.distillation?.teachers ?? []
  const total = configs.reduce((sum, config) => sum + weightOf(config), 0)
  return yield* Effect.forEach(
    configs,
    Effect.fnUntraced(function* (config) {
      const { directory, network, sha256, weights } = yield* readTeacher(config, dataset)
      if (network.classes !== classes) {
        return yield* cannotTeach(directory, `it has ${network.classes} classes, not ${classes}`)
      }
      return { network, weights, sha256, share: weightOf(config) / total } satisfies Teacher
    })
  )
})
