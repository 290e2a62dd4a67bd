/** A trial of an experiment: the network in its full size and the whole pipeline, for two steps on a few images. */
import { misfitOf, type Schedule, type ScheduleConfig, schedules } from "../../Config/Schedule.ts"
import type { Experiment } from "../../Config.ts"
import type { LoadedDataset, Split } from "../../Data.ts"
import { inOneEpoch } from "../Averages/Averages.ts"

/** At most so many images in a batch, so that the largest networks fit into a small machine's memory. */
const BATCH = 16
const STEPS = 2
/** Images of the validation and of the test split. */
const EVALUATED = 32

/** A schedule for one epoch, where the experiment's own cannot be so short. */
const SHORT: ScheduleConfig = { _tag: "Cosine", warmupEpochs: 0, etaMin: 0 }

/**
 * The experiment with one epoch of small batches. It starts from its seed, without a file, and on whole images. `among`
 * are the schedules that there are.
 */
export const smokeExperiment = (
  experiment: Experiment,
  among: ReadonlyArray<Schedule> = schedules
): Experiment => {
  const { initialWeights: _, progressiveResizing: __, ...train } = experiment.train
  const { gradientAccumulationSteps, batchSize, schedule } = train
  const whole = gradientAccumulationSteps * Math.ceil(Math.min(batchSize, BATCH) / gradientAccumulationSteps)
  return {
    ...experiment,
    name: `${experiment.name}-smoke`,
    train: {
      ...train,
      epochs: 1,
      batchSize: whole,
      schedule: misfitOf(schedule, 1, among) === undefined ? schedule : SHORT,
      ...inOneEpoch(experiment.train)
    }
  }
}

/** Images from all over a split: the first ones of a folder's are of one class. */
const some = (split: Split, most: number): Split => {
  const count = Math.min(most, split.indices.length)
  const at = (i: number): number => split.indices[Math.floor((i * split.indices.length) / count)]
  return { ...split, indices: Uint32Array.from({ length: count }, (_, i) => at(i)) }
}

/** As much of a data set as two such steps and two short evaluations take. */
export const smokeDataset = (dataset: LoadedDataset, { train }: Experiment): LoadedDataset => ({
  ...dataset,
  train: some(dataset.train, STEPS * train.batchSize),
  validation: some(dataset.validation, EVALUATED),
  test: some(dataset.test, EVALUATED)
})
