/** What a named experiment, or a named ensemble of them, is: what to do, and what is known of it. */
import type { EnsembleInput } from "../Config/Ensemble.ts"
import type { ExperimentInput } from "../Experiment.ts"

/** A result that was measured with the recipe as it stands; everything that it depends on is said. */
export interface Measured {
  /** Share of right predictions, in per cent, with its split and the weights. */
  readonly accuracy: string
  readonly data: string
  readonly hardware: string
  /** Of training and evaluation. */
  readonly time: string
  /** What was given to `shakedrop train` besides the recipe and the data. */
  readonly flags?: string
}

interface Known {
  /** One line for lists. */
  readonly summary: string
  /** Where the settings come from. */
  readonly source: string
  /** What the source reports, or what to expect. */
  readonly expected: string
  readonly measured?: Measured
}

export interface Recipe extends Known {
  /** `name` is the recipe's; the folder of the data is given when it is run. */
  readonly experiment: ExperimentInput
}

export interface EnsembleRecipe extends Known {
  readonly ensemble: EnsembleInput
}
