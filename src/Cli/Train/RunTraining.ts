/** `shakedrop train`: from its flags to a training, and what it tells of the result. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Dataset } from "../../Data.ts"
import { Device } from "../../Device.ts"
import { decodeEnsemble, teachersOf } from "../../Ensemble.ts"
import { message } from "../../Events.ts"
import { readJson } from "../../Platform/Files.ts"
import { percent } from "../../Platform/Text.ts"
import { ensembleRecipes, findRecipe } from "../../Recipe.ts"
import { writeReport } from "../../Report.ts"
import { type Asked, folderOf, type Plan, planNew, planResumed } from "../../Train/Plan.ts"
import { smokeDataset } from "../../Train/Probe/DryRun.ts"
import { RunError, RunFolder, type RunResult, train } from "../../Train.ts"
import { configOf } from "../Ensemble/Input.ts"
import { trainAndEvaluate } from "../Ensemble/Train.ts"
import { commandLine } from "../Shared/CommandLine.ts"
import type { TrainInput } from "./Flags.ts"

const RUNS = "runs"

/** Trains and evaluates the ensemble that --recipe names; gives whether it names one. */
const trainedEnsemble = Effect.fnUntraced(function* (input: TrainInput) {
  if (Option.isNone(input.recipe) || !Object.hasOwn(ensembleRecipes, input.recipe.value)) return false
  const { config, out, profile, seed, teachers } = input
  const foreign = [
    ...Object.entries({ config, out, profile, seed, teachers }).flatMap(([name, flag]) =>
      Option.isSome<unknown>(flag) ? [name] : []
    ),
    ...(input.resume ? ["resume"] : []),
    ...(input.set.length > 0 ? ["set"] : [])
  ]
  if (foreign.length > 0) {
    return yield* new RunError({
      reason: "Contradiction",
      message: `${input.recipe.value} is an ensemble, which takes no --${foreign[0]}: it goes on where it was by itself, and what its members are is told in a file for shakedrop ensemble train`
    })
  }
  yield* trainAndEvaluate(yield* configOf({ ...input, file: Option.none() }), input)
  return true
})

const given = (entries: Readonly<Record<string, Option.Option<unknown>>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => (Option.isSome(value) ? [[key, value.value]] : []))
  )

/** The members of the ensemble in a file, as teachers. */
const distillation = Effect.fnUntraced(function* (file: string) {
  const teachers = yield* teachersOf(yield* decodeEnsemble(yield* readJson(file)))
  return { train: { distillation: { teachers } } }
})

/** What the flags ask for. */
const askedBy = Effect.fnUntraced(function* (input: TrainInput) {
  const { config, dataset, directory, out, recipe, seed, set, smoke, teachers } = input
  const data = given({ dataset, directory: Option.map(directory, (folder) => path.resolve(folder)) })
  const values = {
    ...given({ seed }),
    ...(Object.keys(data).length > 0 && { data }),
    ...(Option.isSome(teachers) && (yield* distillation(teachers.value)))
  }
  return {
    recipe: Option.getOrUndefined(recipe),
    ...(Option.isSome(config) && { file: yield* readJson(config.value) }),
    values,
    assignments: set,
    smoke,
    out: Option.getOrUndefined(out),
    root: RUNS
  } satisfies Asked
})

/** The data set of a plan; of a trial a few images. */
const datasetOf = ({ experiment, smoke }: Plan) => {
  const whole = Dataset.layer(experiment.data)
  if (!smoke) return whole
  const few = Effect.map(Dataset, (dataset) => smokeDataset(dataset, experiment))
  return Layer.provide(Layer.effect(Dataset, few), whole)
}

/** Trains, and writes the report. */
const trainAndReport = Effect.fnUntraced(function* (plan: Plan, input: TrainInput) {
  const { directory } = yield* RunFolder
  const { experiment, smoke } = plan
  const { name } = yield* Device
  const dataset = yield* Dataset
  yield* message(`${experiment.name}: ${dataset.name} on ${name}, into ${directory}`)
  if (smoke) yield* message("a trial: two steps, from random weights")
  const trained = yield* train(experiment, {
    command: commandLine(),
    workers: input.workers,
    profile: Option.getOrUndefined(input.profile)
  })
  return { report: yield* writeReport(trained), result: trained.result }
}, Effect.scoped)

/** After an interruption: how to go on, where there is something to go on from. */
const tellInterrupted = Effect.gen(function* () {
  const { directory, isSaved } = yield* RunFolder
  yield* Console.error(
    (yield* isSaved)
      ? `interrupted and saved; continue with: npx shakedrop train --resume --out ${directory}`
      : "interrupted before anything was saved"
  )
})

const tellResult = Effect.fnUntraced(function* (result: RunResult) {
  const [low, high] = result.interval
  yield* Console.log(
    `${result.dataset}, ${result.images} test images: ${percent(result.accuracy)} (95 % interval ${percent(low)} to ${percent(high)}), ${result.selection}`
  )
  if (result.overViews === undefined) return
  const { accuracy, interval, views } = result.overViews
  yield* Console.log(
    `with the mean over ${views} views of each image: ${percent(accuracy)} (95 % interval ${interval.map(percent).join(" to ")})`
  )
})

/** What a trial is for: how large and how slow the whole would be. */
const tellTrial = Effect.fnUntraced(function* ({ experiment }: Plan, result: RunResult) {
  const { batchSize } = experiment.train
  const [{ imagesPerSecond }] = yield* (yield* RunFolder).metrics
  const peak = process.resourceUsage().maxRSS / 2 ** 20
  yield* Console.log(
    `${result.parameters.toLocaleString("en-GB")} parameters, ${(batchSize / imagesPerSecond).toPrecision(2)} s a step of ${batchSize} images, peak memory ${peak.toFixed(1)} GiB`
  )
})

export const runTraining = Effect.fn("runTraining")(function* (input: TrainInput) {
  if (yield* trainedEnsemble(input)) return
  const asked = yield* askedBy(input)
  const plan = yield* input.resume ? planResumed(asked) : planNew(asked, findRecipe)
  yield* Effect.gen(function* () {
    const { report, result } = yield* trainAndReport(plan, input).pipe(
      Effect.provide(Layer.mergeAll(Device.layer(input.device), datasetOf(plan))),
      Effect.onInterrupt(() => tellInterrupted)
    )
    yield* tellResult(result)
    if (plan.smoke) yield* tellTrial(plan, result)
    yield* Console.log(`report  ${path.resolve(report)}`)
    // The folder is claimed before the device and the data set are loaded.
  }).pipe(Effect.provide(folderOf(plan)))
})
