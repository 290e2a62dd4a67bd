/** A run's folder: what was run is written before it starts, and checked when it is continued. */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import * as path from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "../../Config/Decode.ts"
import { configurationDifference, isObject } from "../../Config/Overlay.ts"
import type { LoadedDataset } from "../../Data.ts"
import { type Experiment, schemas } from "../../Experiment.ts"
import { readJson, type StorageError, writeFileAtomic } from "../../Platform/Files.ts"
import { VERSION } from "../../Platform/Version.ts"
import { Registry } from "../../Registry.ts"
import { missingPlugin, PluginRecord } from "./Plugins.ts"

/** A run cannot be started, continued or read; `message` says why in one line. */
export class RunError extends Data.TaggedError("RunError")<{ readonly message: string }> {}

const Channels = Schema.Tuple([Schema.Finite, Schema.Finite, Schema.Finite])

/** What is to be known of a data set to train, or use, a network on it. */
export const DataDescription = Schema.Struct({
  name: Schema.String,
  fingerprint: Schema.String,
  classes: Schema.Array(Schema.String),
  size: Schema.Struct({ height: Schema.Int, width: Schema.Int }),
  /** Of the channels, for pixels in [0, 1]. */
  mean: Channels,
  std: Channels
})
export type DataDescription = typeof DataDescription.Type

export const describeData = ({
  classes,
  fingerprint,
  mean,
  name,
  std,
  train: {
    images: { height, width }
  }
}: LoadedDataset): DataDescription => ({ name, fingerprint, classes, size: { height, width }, mean, std })

/** What a result depends on: the contents of `config.json`. */
const runConfigSchema = (experiment: Schema.Codec<Experiment, unknown>) =>
  Schema.Struct({
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

const configFile = (directory: string): string => path.join(directory, "config.json")

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

/** Fails where a run needs a plugin that is not registered. */
const checkPlugins = Effect.fnUntraced(function* (directory: string, json: unknown) {
  const plugins = isObject(json) ? json.plugins : undefined
  const recorded = yield* Effect.orElseSucceed(
    Schema.decodeUnknownEffect(Schema.Array(PluginRecord))(plugins),
    () => []
  )
  const missing = missingPlugin(yield* Registry, recorded)
  if (missing === undefined) return
  return yield* new RunError({ message: `the run in ${directory} needs ${missing}, which is not loaded` })
})

/** The configuration of the run in a folder. */
export const readRun = (directory: string): Effect.Effect<RunConfig, RunError | StorageError> =>
  Effect.gen(function* () {
    const file = configFile(directory)
    if (!existsSync(file)) {
      return yield* new RunError({ message: `there is no run in ${directory}: it has no config.json` })
    }
    const json = yield* readJson(file)
    yield* checkPlugins(directory, json)
    const { experiment } = yield* schemas
    return yield* decodeStrictly(runConfigSchema(experiment), json).pipe(
      Effect.mapError((problems) => new RunError({ message: `${file}: ${problems}` }))
    )
  })

/** Writes the configuration of a new run. */
export const beginRun = (directory: string, config: RunConfig): Effect.Effect<void, StorageError> =>
  writeFileAtomic(configFile(directory), `${JSON.stringify(config, null, 2)}\n`)

/** Fails where what a run was begun with differs from what it is to be continued with. */
export const checkUnchanged = (
  directory: string,
  difference: ReadonlyArray<string>
): Effect.Effect<void, RunError> =>
  difference.length === 0
    ? Effect.void
    : Effect.fail(
        new RunError({
          message: `the run in ${directory} has another configuration (${difference.join("; ")}): continue it without these changes, or start a new run with another --out`
        })
      )

/**
 * Checks that a run can be continued as the same: nothing that its numbers depend on may differ. Where the device
 * or a version differs the run goes on, but its last bits may come out otherwise. Gives the command that began the
 * run, and what differs.
 */
export const continueRun = Effect.fn("continueRun")(function* (directory: string, config: RunConfig) {
  const before = yield* readRun(directory)
  // Without its file, the experiment tells whether it is the same: what came of the weights is in the checkpoints.
  const { initialWeights = before.initialWeights } = config
  yield* checkUnchanged(directory, [
    ...configurationDifference(before.experiment, config.experiment),
    ...configurationDifference(
      { dataset: before.dataset, teachers: before.teachers, initialWeights: before.initialWeights },
      { dataset: config.dataset, teachers: config.teachers, initialWeights }
    )
  ])
  const { commit: _, ...environment } = before.environment
  const { commit: __, ...now } = config.environment
  return { command: before.command, differences: configurationDifference(environment, now) }
})
