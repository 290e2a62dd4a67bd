/** Weights of runs, as configurations name them: members of ensembles, and teachers. */
import * as Schema from "effect/Schema"
import { count, positive, withDefault } from "./Fields.ts"

/** Names of the weights that a run may keep of its network: as they are trained, and averages of them. */
export const WEIGHTS = ["raw", "ema", "swa"] as const
export const WeightsName = Schema.Literals(WEIGHTS)
export type WeightsName = typeof WeightsName.Type

/** Some weights of a run. */
export const RunWeights = Schema.Struct({
  /** The run's folder. */
  run: Schema.NonEmptyString,
  /** The best checkpoint (the newest where none was selected) unless given, or a snapshot by its number from 1. */
  checkpoint: Schema.optionalKey(Schema.Union([Schema.Literals(["latest", "best"]), count])),
  /** Those that the run was judged by unless given. */
  weights: Schema.optionalKey(WeightsName)
})
export type RunWeights = typeof RunWeights.Type

/** A finished run on the same data by its folder, with the weights that its result was measured with, or others. */
export const TeacherConfig = Schema.Union([
  Schema.NonEmptyString,
  Schema.Struct({
    ...RunWeights.fields,
    /** In the mean of the teachers' probabilities; only ratios count. */
    weight: positive.pipe(withDefault(1))
  })
])
export type TeacherConfig = typeof TeacherConfig.Type
