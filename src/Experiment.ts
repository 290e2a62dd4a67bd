/** Experiments: decoding them with all that is registered, and their type as they are written. */
import * as Effect from "effect/Effect"
import { imagePipelineOf, pipelineOf, type StepInput } from "./Augment/Pipeline.ts"
import { readPolicies } from "./Augment/Policy/ReadPolicies.ts"
import type { DataInput } from "./Config/Data.ts"
import { pathsOf } from "./Config/Decode/Shape.ts"
import { decodeStrictly } from "./Config/Decode.ts"
import { ensembleSchema, memberSchemas } from "./Config/Ensemble.ts"
import { ConfigError } from "./Config/Errors.ts"
import { type Experiment, experimentSchema } from "./Config/Experiment.ts"
import { definitionOf, oneOf, type Registered } from "./Config/Registered.ts"
import { misfitOf, type ScheduleInput } from "./Config/Schedule.ts"
import { type TrainInput, trainSchema } from "./Config/Train.ts"
import type { ModelInput } from "./Model.ts"
import { type Contents, Registry } from "./Registry.ts"
import { type AveragesInput, averages } from "./Train/Averages/Averages.ts"
import type { OptimizerInput } from "./Train/Optimizer/Optimizer.ts"
import type { LossInput } from "./Train/Step/Loss.ts"

export type { Experiment } from "./Config/Experiment.ts"

/**
 * An experiment as it is written. `Own` are the inputs of a program's own definitions, for instance
 * `(typeof network)["schema"]["Encoded"]`.
 */
export interface ExperimentInput<Own extends Registered = never> {
  /** Names the run's folder. */
  readonly name: string
  readonly seed?: number
  readonly data: DataInput
  readonly augment: ReadonlyArray<StepInput | Own>
  readonly model: ModelInput | Own
  readonly train: TrainInput &
    AveragesInput & {
      readonly loss?: LossInput | Own
      readonly optimizer?: OptimizerInput | Own
      readonly schedule: ScheduleInput | Own
    }
}

const schemasOf = (registry: Contents) => {
  const { losses, models, optimizers, schedules, steps } = registry
  const images = imagePipelineOf(steps)
  const training = {
    averages,
    loss: oneOf(losses),
    optimizer: oneOf(optimizers),
    schedule: oneOf(schedules),
    misfit: (schedule: Registered, epochs: number) => misfitOf(schedule, epochs, schedules),
    images
  }
  return {
    experiment: experimentSchema({
      ...training,
      model: oneOf(models),
      pipeline: pipelineOf(steps),
      capabilities: (model) => definitionOf(models, model).capabilities
    }),
    train: trainSchema(training),
    ensemble: ensembleSchema({ averages, images }),
    members: memberSchemas(averages)
  }
}

const known = new WeakMap<Contents, ReturnType<typeof schemasOf>>()

/** The Schemas of experiments, their trainings, ensembles and members, with all that is registered. */
export const schemas = Effect.map(Registry, (registry) => {
  const found = known.get(registry) ?? schemasOf(registry)
  known.set(registry, found)
  return found
})

/** Every key that an experiment can have, as `train.learningRate`. */
export const experimentKeys = Effect.map(schemas, ({ experiment }) => pathsOf(experiment.ast, undefined))

/**
 * Decodes an experiment.
 *
 * @errors ConfigError with every wrong key in one line
 */
export const decodeExperiment = Effect.fnUntraced(function* (
  input: unknown
): Effect.fn.Return<Experiment, ConfigError> {
  const { experiment } = yield* schemas
  return yield* Effect.mapError(
    decodeStrictly(experiment, input),
    ({ message }) => new ConfigError({ reason: "Wrong", message: `wrong configuration: ${message}` })
  )
})

/** Decodes an experiment in which policies of AutoAugment may be named by files, which are read. */
export const readExperiment = Effect.fnUntraced(function* (input: unknown) {
  return yield* decodeExperiment(yield* readPolicies(input))
})
