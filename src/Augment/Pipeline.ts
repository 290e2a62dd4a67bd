/** What is done to the images of a training batch, as data. */
import * as Schema from "effect/Schema"
import { oneOf, type Registered } from "../Config/Registered.ts"
import type { Step } from "./Step/Step.ts"
import { steps as builtIn } from "./Steps.ts"

type BuiltIn = (typeof builtIn)[number]

/** A step with its options: one of this library's, or a program's own. */
export type StepConfig = BuiltIn["schema"]["Type"] | Registered

/** The same as it is written, for this library's steps. */
export type StepInput = BuiltIn["schema"]["Encoded"]

/** Steps in the order in which they are done. */
export type Pipeline = ReadonlyArray<StepConfig>

/** A pipeline of the given steps; one that mixes the batch can only be the last. */
export const pipelineOf = (steps: ReadonlyArray<Step>): Schema.Codec<Pipeline, ReadonlyArray<unknown>> => {
  const mixes = new Set(steps.flatMap(({ name, on }) => (on === "batch" ? [name] : [])))
  return Schema.Array(oneOf(steps)).check(
    Schema.makeFilter((pipeline) =>
      pipeline.flatMap(({ _tag }, i) =>
        mixes.has(_tag) && i < pipeline.length - 1
          ? [{ path: [i], issue: `only the last step can be ${_tag}, which mixes the whole batch` }]
          : []
      )
    )
  )
}

/** A pipeline of the steps that act on one image. */
export const imagePipelineOf = (steps: ReadonlyArray<Step>): Schema.Codec<Pipeline, ReadonlyArray<unknown>> =>
  Schema.Array(oneOf(steps.filter(({ on }) => on === "image")))

/** A pipeline of this library's steps. */
export const Pipeline = pipelineOf(builtIn)
