/** `shakedrop train --seeds`: one run for each seed, and a table of what came of them. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Dataset } from "../../Data.ts"
import { Device } from "../../Device.ts"
import { type SeedsResult, trainSeeds } from "../../Ensemble.ts"
import { message } from "../../Events.ts"
import { percent } from "../../Platform/Text.ts"
import { findRecipe } from "../../Recipe.ts"
import { writeReport } from "../../Report.ts"
import { type Asked, planNew } from "../../Train/Plan.ts"
import { RunError } from "../../Train.ts"
import { commandLine } from "../Shared/CommandLine.ts"
import { checkFolderUsed } from "../Shared/Dataset.ts"
import type { TrainInput } from "./Flags.ts"

/** One line for each run, and what they are together. */
const describe = ({ accuracy, name, overViews, runs, trainSeconds }: SeedsResult): ReadonlyArray<string> => {
  const seconds = (value: number): string => `${value.toFixed(1)} s`
  const together = (
    what: string,
    { deviation, interval, mean }: SeedsResult["accuracy"],
    show: (value: number) => string
  ): string =>
    interval === null || deviation === null
      ? `${what}  ${show(mean)}, one run`
      : `${what}  mean ${show(mean)} (95 % interval ${interval.map(show).join(" to ")}), standard deviation ${show(deviation)}`
  return [
    `seed  ${overViews === undefined ? "test accuracy" : "test accuracy  with views"}  training`,
    ...runs.map(({ accuracy, overViews, seed, trainSeconds }) =>
      [
        String(seed).padStart(4),
        percent(accuracy).padStart(13),
        ...(overViews === undefined ? [] : [percent(overViews).padStart(10)]),
        seconds(trainSeconds).padStart(8)
      ].join("  ")
    ),
    `${name}, ${runs.length} seeds`,
    together("accuracy  ", accuracy, percent),
    ...(overViews === undefined ? [] : [together("with views", overViews, percent)]),
    together("training  ", trainSeconds, seconds)
  ]
}

/** What takes one run, where there are several. */
const foreignTo = ({ profile, resume, seed, smoke }: TrainInput): string | undefined => {
  if (Option.isSome(seed)) return "seed"
  if (Option.isSome(profile)) return "profile"
  if (resume) return "resume"
  return smoke ? "smoke" : undefined
}

export const runSeeds = Effect.fn("runSeeds")(function* (
  seeds: ReadonlyArray<number>,
  asked: Asked,
  input: TrainInput
) {
  const foreign = foreignTo(input)
  if (foreign !== undefined) {
    return yield* new RunError({
      reason: "Contradiction",
      message: `several seeds take no --${foreign}: the same command goes on where it was by itself`
    })
  }
  const { experiment } = yield* planNew(asked, findRecipe)
  yield* checkFolderUsed(experiment.data)
  const root = asked.out ?? path.join(asked.root, `${experiment.name}-seeds`)
  const training = Effect.gen(function* () {
    yield* message(`${experiment.name}: ${(yield* Dataset).name} on ${(yield* Device).name}, into ${root}`)
    return yield* trainSeeds(experiment, seeds, {
      ...{ root, command: commandLine(), workers: input.workers },
      whenTrained: writeReport
    })
  })
  const result = yield* training.pipe(
    Effect.provide(Layer.mergeAll(Device.layer(input.device), Dataset.layer(experiment.data))),
    Effect.onInterrupt(() => Console.error("interrupted; the same command goes on"))
  )
  for (const line of describe(result)) yield* Console.log(line)
  yield* Console.log(`table  ${path.resolve(root, "seeds.json")}`)
})
