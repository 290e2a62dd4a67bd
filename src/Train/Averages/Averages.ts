/** The weights that a run may keep of its network: as they are trained, and averages of them, as one list. */
import { averageOptions, type TrainConfig } from "../../Config/Train.ts"
import { RAW, type WeightsName } from "../../Config/Weights.ts"
import { type Average, type AverageDefinition, type StepPlace, steppedOf } from "./Define.ts"
import { ema } from "./Ema.ts"
import { lookahead } from "./Lookahead.ts"
import { swa } from "./Swa.ts"

/**
 * The averages, in the order in which they are updated: slow weights change those that the others are averages of. To
 * add one: a file, and its name here.
 */
export const averages = [lookahead, ema, swa] as const

/** The averages of a training as they are written. */
export type AveragesInput = {
  readonly [D in (typeof averages)[number] as D["name"]]?: D["schema"]["Encoded"]
}

/** The weights as they are trained. */
export const raw: Average = {
  name: RAW,
  evaluated: true,
  keptAs: (tensor) => tensor,
  init: (_, weights) => weights,
  refreshStatistics: false
}

/** The averages that a training has, with their options. */
const configured = (
  train: TrainConfig
): ReadonlyArray<{ readonly definition: AverageDefinition; readonly options: unknown }> =>
  averages.flatMap((definition: AverageDefinition) => {
    const options = averageOptions(train, definition.name)
    return options === undefined ? [] : [{ definition, options }]
  })

/** What a run keeps. */
export const averagesOf = (train: TrainConfig): ReadonlyArray<Average> => [
  raw,
  ...configured(train).map(({ definition, options }) => definition.make(options))
]

/** What a run evaluates; members of ensembles and commands name one of them. */
export const evaluatedOf = (train: TrainConfig): ReadonlyArray<Average> =>
  averagesOf(train).filter(({ evaluated }) => evaluated)

/** The names of those that a run evaluates. */
export const weightsKept = (train: TrainConfig): ReadonlyArray<WeightsName> =>
  evaluatedOf(train).map(({ name }) => name)

/** Which weights are judged and kept as the best: averages where there are any. */
export const judged = (train: TrainConfig): WeightsName => weightsKept(train).at(-1) ?? RAW

/** What a run evaluates under a name; undefined where it has nothing of that name. */
export const evaluatedAs = (train: TrainConfig, weights: WeightsName): Average | undefined =>
  evaluatedOf(train).find(({ name }) => name === weights)

/** The coefficients of a step, by the names of the averages that are updated in every step. */
export const coefficientsAt = (train: TrainConfig, at: StepPlace): Readonly<Record<string, number>> =>
  Object.fromEntries(
    steppedOf(averagesOf(train)).map(({ afterStep, name }) => [name, afterStep.coefficient(at)])
  )

/** The options of a training's averages in a trial of one epoch, each under its name. */
export const inOneEpoch = (train: TrainConfig): Readonly<Record<never, never>> =>
  Object.fromEntries(
    configured(train).map(({ definition, options }) => [definition.name, definition.inOneEpoch(options)])
  )
