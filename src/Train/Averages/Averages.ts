/** The weights that a run may keep of its network: as they are trained, and averages of them, as one list. */
import { type TrainConfig, WEIGHTS, type WeightsName } from "../../Config.ts"
import { type Average, type StepPlace, steppedOf } from "./Average.ts"
import { ema } from "./Ema.ts"
import { lookahead } from "./Lookahead.ts"
import { swa } from "./Swa.ts"

/** The weights as they are trained. */
const raw: Average = {
  name: "raw",
  enabled: () => true,
  keptAs: (tensor) => tensor,
  init: (_, weights) => weights,
  refreshStatistics: false
}

/** Those that are evaluated, and that members and commands name. */
const evaluated: Readonly<Record<WeightsName, Average>> = { raw, ema, swa }

/** All, in the order in which they are updated. Slow weights change those that the others are averages of. */
const averages: ReadonlyArray<Average> = [raw, lookahead, ...WEIGHTS.slice(1).map((name) => evaluated[name])]

/** What a run keeps. */
export const averagesOf = (train: TrainConfig): ReadonlyArray<Average> =>
  averages.filter(({ enabled }) => enabled(train))

/** The names of those that a run evaluates. */
export const weightsKept = (train: TrainConfig): ReadonlyArray<WeightsName> =>
  WEIGHTS.filter((name) => evaluated[name].enabled(train))

export const averageNamed = (weights: WeightsName): Average => evaluated[weights]

/** Which weights are judged and kept as the best: averages where there are any. */
export const judged = (train: TrainConfig): WeightsName => weightsKept(train).at(-1)!

/** The coefficients of a step, by the names of the averages that are updated in every step. */
export const coefficientsAt = (train: TrainConfig, at: StepPlace): Readonly<Record<string, number>> =>
  Object.fromEntries(
    steppedOf(averagesOf(train)).map(({ afterStep, name }) => [name, afterStep.coefficient(train, at)])
  )
