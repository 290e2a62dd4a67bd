/** A run's configuration: what its result depends on, and whether a run that goes on is still the same. */
import { execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "../../Config/Decode.ts"
import { configurationDifference, isObject } from "../../Config/Overlay.ts"
import { type Experiment, schemas } from "../../Experiment.ts"
import { exists } from "../../Platform/Files.ts"
import { VERSION } from "../../Platform/Version.ts"
import { Registry } from "../../Registry.ts"
import { DataDescription } from "./DataDescription.ts"
import { missingPlugin, PluginRecord } from "./Plugins.ts"
import { RunError } from "./RunError.ts"

/** The version of a run's folder: of the format of everything in it. */
export const FOLDER_VERSION = 1

/** What a result depends on: the contents of `config.json`. */
const runConfigSchema = (experiment: Schema.Codec<Experiment, unknown>) =>
  Schema.Struct({
    version: Schema.Literal(FOLDER_VERSION),
    /** The command that began it. */
    command: Schema.String,
    experiment,
    dataset: DataDescription,
    /** Where what the experiment names comes from, as far as this library does not have it. */
    plugins: Schema.optionalKey(Schema.Array(PluginRecord)),
    /** SHA-256 (hex) of the weights of each teacher, where there are any. */
    teachers: Schema.optionalKey(Schema.Array(Schema.String)),
    /** SHA-256 (hex) of the file of weights that it started from, where there is one. */
    initialWeights: Schema.optionalKey(Schema.String),
    environment: Schema.Struct({
      shakedrop: Schema.String,
      /** Commit of the working tree that the program was started in, where there is one. */
      commit: Schema.NullOr(Schema.String),
      node: Schema.String,
      tensorflow: Schema.String,
      device: Schema.String
    })
  })
export type RunConfig = ReturnType<typeof runConfigSchema>["Type"]

/** Fails where a run needs a plugin that is not registered. */
const checkPlugins = Effect.fnUntraced(function* (directory: string, json: unknown) {
  const plugins = isObject(json) ? json.plugins : undefined
  const recorded = yield* Effect.orElseSucceed(
    Schema.decodeUnknownEffect(Schema.Array(PluginRecord))(plugins),
    () => []
  )
  const missing = missingPlugin(yield* Registry, recorded)
  if (missing === undefined) return
  const message = `the run in ${directory} needs ${missing}, which is not loaded`
  return yield* new RunError({ reason: "MissingPlugin", directory, message })
})

/** Decodes the contents of `file`, the configuration of the run in a folder. */
export const decodeRunConfig = Effect.fnUntraced(function* (directory: string, file: string, json: unknown) {
  const unreadable = (what: string) =>
    new RunError({ reason: "Unreadable", directory, message: `${file}: ${what}` })
  if (isObject(json) && json.version !== FOLDER_VERSION) {
    return yield* unreadable(`it was written by another version of the program (format ${json.version ?? 0})`)
  }
  yield* checkPlugins(directory, json)
  const { experiment } = yield* schemas
  return yield* Effect.mapError(decodeStrictly(runConfigSchema(experiment), json), ({ message }) =>
    unreadable(message)
  )
})

const commit = (): string | null => {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    }).trim()
  } catch {
    return null
  }
}

export const environmentOf = (device: { readonly name: string; readonly tensorflow: string }) => ({
  shakedrop: VERSION,
  commit: commit(),
  node: process.version,
  tensorflow: device.tensorflow,
  device: device.name
})

/**
 * What of an experiment may change when a run goes on, since its numbers do not depend on it: where the data lie, which
 * are compared by their fingerprint, and what is saved when.
 */
const MAY_CHANGE: ReadonlyArray<string> = ["data.directory", "train.keep", "train.log", "train.saveMinutes"]

const withoutChangeable = (experiment: Experiment): unknown => {
  const copy = structuredClone(experiment) as unknown as Record<string, Record<string, unknown>>
  for (const key of MAY_CHANGE) {
    const [section, name] = key.split(".")
    delete copy[section][name]
  }
  return copy
}

/** An experiment as a run has it: `fastest` is the precision that was measured when the run began. */
export const asBegun = (before: Experiment, asked: Experiment): Experiment =>
  asked.train.precision === "fastest"
    ? { ...asked, train: { ...asked.train, precision: before.train.precision } }
    : asked

/** Fails where the data of a run are no longer in their folder. */
export const checkDataThere = Effect.fnUntraced(function* (directory: string, { data }: Experiment) {
  if (data.directory === undefined || (yield* exists(data.directory))) return
  const message = `the data of the run in ${directory} are not in ${data.directory}`
  return yield* new RunError({ reason: "DataGone", directory, message })
})

const checkUnchanged = (
  directory: string,
  difference: ReadonlyArray<string>
): Effect.Effect<void, RunError> =>
  difference.length === 0
    ? Effect.void
    : Effect.fail(
        new RunError({
          reason: "Changed",
          directory,
          message: `the run in ${directory} has another configuration (${difference.join("; ")})`
        })
      )

/** Fails where a run was begun with another experiment than it is to be continued with. */
export const checkSameExperiment = (
  directory: string,
  before: Experiment,
  asked: Experiment
): Effect.Effect<void, RunError> =>
  checkUnchanged(
    directory,
    configurationDifference(withoutChangeable(before), withoutChangeable(asBegun(before, asked)))
  )

/**
 * Checks that a run of the same experiment and data goes on with the same teachers and initial weights. Where the device
 * or a version differs the run goes on, but its last bits may come out otherwise. Gives the configuration of the run
 * from now on, and how its environment differs.
 */
export const continueRun = Effect.fn("continueRun")(function* (
  directory: string,
  before: RunConfig,
  now: RunConfig
) {
  // Without its file, the experiment tells whether it is the same: what came of the weights is in the checkpoints.
  const { initialWeights = before.initialWeights } = now
  yield* checkUnchanged(
    directory,
    configurationDifference(
      { teachers: before.teachers, initialWeights: before.initialWeights },
      { teachers: now.teachers, initialWeights }
    )
  )
  const config: RunConfig = { ...before, experiment: now.experiment }
  const { commit: _, ...environment } = before.environment
  const { commit: __, ...current } = now.environment
  return { config, differences: configurationDifference(environment, current) }
})
