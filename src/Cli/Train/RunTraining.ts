/** `shakedrop train`: from its flags to a training, and what it tells of the result. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Device } from "../../Device.ts"
import { type Place, ReplicaError } from "../../Distributed.ts"
import { decodeEnsemble, teachersOf } from "../../Ensemble.ts"
import { readJson } from "../../Platform/Files.ts"
import { ensembleRecipes, findRecipe } from "../../Recipe.ts"
import { type Asked, folderOf, planNew, planResumed } from "../../Train/Plan.ts"
import { RunError } from "../../Train.ts"
import { configOf } from "../Ensemble/Input.ts"
import { trainAndEvaluate } from "../Ensemble/Train.ts"
import { checkFolderUsed } from "../Shared/Dataset.ts"
import type { TrainInput } from "./Flags.ts"
import { placeOf } from "./Replicas.ts"
import { datasetOf, trainAndTell } from "./TrainAndTell.ts"

const RUNS = "runs"

/** Trains and evaluates the ensemble that --recipe names; gives whether it names one. */
const trainedEnsemble = Effect.fnUntraced(function* (input: TrainInput, place: Place | undefined) {
  if (Option.isNone(input.recipe) || !Object.hasOwn(ensembleRecipes, input.recipe.value)) return false
  if (place !== undefined) {
    return yield* new ReplicaError({
      reason: "Unsupported",
      message: `${input.recipe.value} is an ensemble, whose members are trained one by one and not by several replicas`
    })
  }
  const { config, out, profile, seed, seeds, teachers } = input
  const foreign = [
    ...Object.entries({ config, out, profile, seed, seeds, teachers }).flatMap(([name, flag]) =>
      Option.isSome<unknown>(flag) ? [name] : []
    ),
    ...(input.resume ? ["resume"] : []),
    ...(input.ui ? ["ui"] : []),
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

export const runTraining = Effect.fn("runTraining")(function* (input: TrainInput) {
  const place = yield* placeOf(input)
  if (place === "launched") return
  if (yield* trainedEnsemble(input, place)) return
  const asked = yield* askedBy(input)
  if (Option.isSome(input.seeds)) {
    if (place !== undefined) {
      const message = "runs of several seeds are trained one by one, and not by several replicas"
      return yield* new ReplicaError({ reason: "Unsupported", message })
    }
    const { runSeeds } = yield* Effect.promise(() => import("./Seeds.ts"))
    return yield* runSeeds(input.seeds.value, asked, input)
  }
  if (place !== undefined) {
    const { runReplica } = yield* Effect.promise(() => import("./RunReplica.ts"))
    return yield* runReplica(place, input, asked)
  }
  const plan = yield* input.resume ? planResumed(asked) : planNew(asked, findRecipe)
  yield* checkFolderUsed(plan.experiment.data)
  yield* trainAndTell(plan, input).pipe(
    Effect.provide(Layer.mergeAll(Device.layer(input.device), datasetOf(plan))),
    // The folder is claimed before the device and the data set are loaded.
    Effect.provide(folderOf(plan))
  )
})
