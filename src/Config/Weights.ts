/** Weights of runs, as configurations name them: members of ensembles, and teachers. */
import * as Schema from "effect/Schema"
import { count, positive, withDefault } from "./Fields.ts"

/** The name of the weights as they are trained. */
export const RAW = "raw"

/** The name of weights that a run keeps of its network: `raw`, or that of an average which it evaluates. */
export type WeightsName = string

/** An average of the weights as a training's configuration has it: its options stand under its name. */
export interface ConfiguredAverage {
  readonly name: string
  readonly schema: Schema.Codec<unknown, unknown>
  /** Whether it is evaluated, and so can be named by members and commands. */
  readonly evaluated: boolean
  /** What is wrong with options that are right one by one; paths begin at the options. */
  check?(options: unknown, train: { readonly epochs: number }): Schema.FilterIssue | undefined
}

/** The Schema of names of weights, where these averages can be had. */
export const weightsNameOf = (averages: ReadonlyArray<ConfiguredAverage>): Schema.Codec<WeightsName> =>
  Schema.Literals([RAW, ...averages.flatMap(({ evaluated, name }) => (evaluated ? [name] : []))])

/** The Schema of some weights of a run. */
export const runWeightsOf = (averages: ReadonlyArray<ConfiguredAverage>) =>
  Schema.Struct({
    /** The run's folder. */
    run: Schema.NonEmptyString,
    /** The best checkpoint (the newest where none was selected) unless given, or a snapshot by its number from 1. */
    checkpoint: Schema.optionalKey(Schema.Union([Schema.Literals(["latest", "best"]), count])),
    /** Those that the run was judged by unless given. */
    weights: Schema.optionalKey(weightsNameOf(averages))
  })
export type RunWeights = ReturnType<typeof runWeightsOf>["Type"]

/** A finished run on the same data by its folder, with the weights that its result was measured with, or others. */
export const teacherOf = (averages: ReadonlyArray<ConfiguredAverage>) =>
  Schema.Union([
    Schema.NonEmptyString,
    Schema.Struct({
      ...runWeightsOf(averages).fields,
      /** In the mean of the teachers' probabilities; only ratios count. */
      weight: positive.pipe(withDefault(1))
    })
  ])
export type TeacherConfig = ReturnType<typeof teacherOf>["Type"]
