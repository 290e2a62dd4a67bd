/**
 * The plan of a training: which experiment, and in which folder. A new run lays what is asked for over a recipe; a run
 * that is continued has its own experiment, over which what is asked for is laid, so that a difference that is named is
 * one that was asked for.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { ConfigError } from "../Config/Errors.ts"
import { isObject, merge, parseAssignment } from "../Config/Overlay.ts"
import { type Experiment, readExperiment } from "../Experiment.ts"
import { list, type StorageError } from "../Platform/Files.ts"
import { Registry } from "../Registry.ts"
import { smokeExperiment } from "./Probe/DryRun.ts"
import { checkDataThere, checkSameExperiment } from "./Run/RunConfig.ts"
import { RunError } from "./Run/RunError.ts"
import { type NewFolder, openRun, RunFolder } from "./Run/RunFolder.ts"
import { findInitialWeights } from "./Start/InitialWeights.ts"

/** What is asked for; each part is laid over those before it. */
export interface Asked {
  /** The name of a recipe. */
  readonly recipe?: string | undefined
  /** A configuration: a whole experiment, or what differs from the recipe. */
  readonly file?: unknown
  /** Values that have flags of their own, as a part of an experiment. */
  readonly values?: unknown
  /** Single values, as `train.epochs=5`. */
  readonly assignments?: ReadonlyArray<string>
  /** Whether it is only tried: two steps on a few images. */
  readonly smoke?: boolean
  /** The run's folder; unless given, one of its name in `root`. */
  readonly out?: string | undefined
  readonly root: string
}

/** Gives the experiment of a recipe's name. */
export type FindRecipe = (name: string) => Effect.Effect<{ readonly experiment: unknown }, ConfigError>

export interface Plan {
  readonly experiment: Experiment
  /** Whether it is only tried. */
  readonly smoke: boolean
  readonly folder: { readonly begins: NewFolder } | { readonly continues: string }
}

/** The folder of a plan, claimed. */
export const folderOf = ({ folder }: Plan): Layer.Layer<RunFolder, RunError | StorageError> =>
  "begins" in folder ? RunFolder.create(folder.begins) : RunFolder.resume(folder.continues)

/** File, values and assignments, without a recipe. */
const overlayOf = Effect.fnUntraced(function* ({ assignments = [], file = {}, values = {} }: Asked) {
  if (!isObject(file)) {
    const message = `wrong configuration: expected an object, got ${JSON.stringify(file).slice(0, 60)}`
    return yield* new ConfigError({ reason: "Wrong", message })
  }
  let overlay = merge(file, values)
  for (const assignment of assignments) overlay = merge(overlay, yield* parseAssignment(assignment))
  return overlay
})

/** The recipe that is trained unless one is named: that for the images drawn in code, or that for photographs. */
const usualRecipe = (overlay: unknown): string => {
  const data = isObject(overlay) ? overlay.data : undefined
  const dataset = isObject(data) ? data.dataset : undefined
  return dataset === undefined || dataset === "shapes" ? "quickstart" : "simple-cnn"
}

const has = (value: unknown, keys: ReadonlyArray<string>): boolean =>
  isObject(value) && keys.every((key) => Object.hasOwn(value, key))

/** Whether a configuration says itself all that a recipe has to say; else it is laid over one. */
const isWhole = (overlay: unknown): boolean =>
  isObject(overlay) &&
  has(overlay, ["name", "data", "augment", "model"]) &&
  has(overlay.train, ["epochs", "batchSize", "learningRate", "schedule"])

/**
 * The plan of a new run.
 *
 * @errors ConfigError for a wrong configuration; RunError where the file of weights to start from is not there
 */
export const planNew = Effect.fn("planNew")(function* (asked: Asked, findRecipe: FindRecipe) {
  const { out, recipe, root, smoke = false } = asked
  const overlay = yield* overlayOf(asked)
  const alone = recipe === undefined && isWhole(overlay)
  const base = alone ? {} : (yield* findRecipe(recipe ?? usualRecipe(overlay))).experiment
  const decoded = yield* readExperiment(merge(base, overlay))
  const experiment = smoke ? smokeExperiment(decoded, (yield* Registry).schedules) : decoded
  yield* findInitialWeights(experiment)
  const begins = out === undefined ? { name: experiment.name, root } : { directory: out }
  return { experiment, smoke, folder: { begins } } satisfies Plan
})

/** The newest run of a name: in the folder NAME, or in that with the highest number. */
const newestRun = Effect.fnUntraced(function* (root: string, name: string) {
  const numbers = (yield* list(root)).flatMap((entry) => {
    const number =
      entry === name ? 1 : Number(entry.startsWith(`${name}-`) ? entry.slice(name.length + 1) : "-")
    return Number.isInteger(number) ? [{ directory: path.join(root, entry), number }] : []
  })
  for (const { directory } of numbers.sort((a, b) => b.number - a.number)) {
    if (yield* openRun(directory).isBegun) return directory
  }
  return undefined
})

/** What ends the name of a trial. */
const SMOKE = "-smoke"

/** The name that is asked for, where one is: a recipe only says which run is meant. */
const nameOf = ({ recipe }: Asked, overlay: unknown): string | undefined =>
  isObject(overlay) && typeof overlay.name === "string" ? overlay.name : recipe

/**
 * The plan of a run that is continued: the one in the folder, or the newest of its name.
 *
 * @errors RunError where there is no such run, or it was begun with another experiment; ConfigError
 */
export const planResumed = Effect.fn("planResumed")(function* (asked: Asked) {
  const { out, root, smoke = false } = asked
  const overlay = yield* overlayOf(asked)
  const name = nameOf(asked, overlay)
  const newest = `${name ?? usualRecipe(overlay)}${smoke ? SMOKE : ""}`
  const directory = out ?? (yield* newestRun(root, newest))
  if (directory === undefined) {
    return yield* new RunError({
      reason: "NoRun",
      message: `there is no run of ${newest} in ${root} to continue`
    })
  }
  const { experiment: before } = yield* openRun(directory).config
  const isTrial = before.name.endsWith(SMOKE)
  if (smoke && !isTrial) {
    const message = `the run in ${directory} is not a trial, and is not continued as one`
    return yield* new RunError({ reason: "Contradiction", directory, message })
  }
  const plain = { ...before, name: isTrial ? before.name.slice(0, -SMOKE.length) : before.name }
  const laid = yield* readExperiment(merge(merge(plain, overlay), name === undefined ? {} : { name }))
  const experiment = isTrial ? smokeExperiment(laid, (yield* Registry).schedules) : laid
  yield* checkSameExperiment(directory, before, experiment)
  yield* checkDataThere(directory, experiment)
  return { experiment, smoke: isTrial, folder: { continues: directory } } satisfies Plan
})
