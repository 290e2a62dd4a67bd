/** What the commands for ensembles have in common: which ensemble, and its members' outputs. */
import * as path from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { DataConfig, SplitName } from "../../Data.ts"
import type { DeviceName } from "../../Device/Session/ConfigProto.ts"
import type { EnsembleConfig } from "../../Ensemble.ts"
import { dataDirFlag, datasetFlag, deviceFlag, optional } from "../Shared/Flags.ts"

export const ensembleFlags = {
  file: Argument.String("file").pipe(
    Argument.withDescription("JSON file with the ensemble"),
    Argument.optional
  ),
  recipe: optional(
    Flag.String("recipe"),
    "A named ensemble in place of a file; `shakedrop recipes` lists them"
  ),
  dataset: datasetFlag.pipe(
    Flag.withDescription("Which data set, in place of the ensemble's own"),
    Flag.optional
  ),
  directory: dataDirFlag("Where the data set lies"),
  device: deviceFlag
}

interface Input {
  readonly file: Option.Option<string>
  readonly recipe: Option.Option<string>
  readonly dataset: Option.Option<DataConfig["dataset"]>
  readonly directory: Option.Option<string>
}

/** What flags say in place of the ensemble's own values. */
const overrides = ({ dataset, directory }: Input): unknown => ({
  data: {
    ...(Option.isSome(dataset) && { dataset: dataset.value }),
    ...(Option.isSome(directory) && { directory: path.resolve(directory.value) })
  }
})

/** The ensemble that flags name, and `more` laid over it. */
export const configOf = Effect.fnUntraced(function* (input: Input, more: unknown = {}) {
  const { merge } = yield* Effect.promise(() => import("../../Config.ts"))
  const { decodeEnsemble, EnsembleError } = yield* Effect.promise(() => import("../../Ensemble.ts"))
  const { findEnsembleRecipe } = yield* Effect.promise(() => import("../../Recipe.ts"))
  const { readJson } = yield* Effect.promise(() => import("../../Platform/Files.ts"))
  if (Option.isSome(input.file) === Option.isSome(input.recipe)) {
    return yield* new EnsembleError({
      reason: "Contradiction",
      message: "give either a file with an ensemble or --recipe"
    })
  }
  const base: unknown = Option.isSome(input.file)
    ? yield* readJson(input.file.value)
    : (yield* findEnsembleRecipe(Option.getOrThrow(input.recipe))).ensemble
  const { readPolicies } = yield* Effect.promise(() => import("../../Augment.ts"))
  return yield* decodeEnsemble(yield* readPolicies(merge(merge(base, overrides(input)), more)))
})

/** Fails where a member has no run, before its data are loaded. */
export const checkMembers = Effect.fnUntraced(function* ({ members }: EnsembleConfig) {
  const { sourcesOf } = yield* Effect.promise(() => import("../../Config/Ensemble.ts"))
  const { openRun } = yield* Effect.promise(() => import("../../Train/Run/RunFolder.ts"))
  for (const { run } of members.flatMap(sourcesOf)) yield* openRun(run).config
})

/** Opens an ensemble whose members have been asked about a split's images; the device is needed where some were not. */
export const openPrepared = Effect.fnUntraced(function* (
  config: EnsembleConfig,
  split: SplitName,
  device: typeof DeviceName.Type
) {
  const { Dataset } = yield* Effect.promise(() => import("../../Data.ts"))
  const { Device } = yield* Effect.promise(() => import("../../Device.ts"))
  const { isPrepared, openEnsemble, prepare } = yield* Effect.promise(() => import("../../Ensemble.ts"))
  const { describeData } = yield* Effect.promise(() => import("../../Train/Run/DataDescription.ts"))
  const dataset = yield* Dataset
  const ensemble = yield* openEnsemble(config, describeData(dataset))
  if (yield* isPrepared(ensemble, split)) return ensemble
  yield* prepare(ensemble, split).pipe(Effect.provide(Device.layer(device)))
  return ensemble
})
