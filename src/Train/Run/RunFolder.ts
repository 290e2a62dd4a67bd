/**
 * A run's folder: what was run (`config.json`), its curves (`metrics.jsonl`), its numbers (`result.json`), its states
 * (`checkpoints/`), what it said as a member of ensembles (`outputs/`), its page (`report.html`), and the lock of the
 * process that trains it. `RunFolder` is the folder in the hands of its one owner; `openRun` reads it without a lock.
 */
import * as path from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { removeStateless, removeUnfinished } from "../../Checkpoint/Format.ts"
import { type CheckpointReader, type Checkpoints, checkpointsIn } from "../../Checkpoint.ts"
import type { EpochMetrics } from "../../Events.ts"
import { type Holder, readHolder } from "../../Platform/FileLock.ts"
import {
  exists,
  list,
  readJson,
  remove,
  removeEmpty,
  type StorageError,
  writeFileAtomic
} from "../../Platform/Files.ts"
import { type Claimed, claimExisting, claimGiven, claimNamed, LOCK } from "./Claim.ts"
import { appendMetrics, readMetrics, truncateMetrics } from "./Metrics.ts"
import { type RunResult, readResult, writeResult } from "./Result.ts"
import { decodeRunConfig, type RunConfig } from "./RunConfig.ts"
import { RunError } from "./RunError.ts"

const pathsIn = (directory: string) => ({
  config: path.join(directory, "config.json"),
  metrics: path.join(directory, "metrics.jsonl"),
  result: path.join(directory, "result.json"),
  report: path.join(directory, "report.html"),
  checkpoints: path.join(directory, "checkpoints"),
  outputs: path.join(directory, "outputs")
})

/** A run for somebody who does not train it; nothing is read before it is asked for. */
export interface RunReader {
  readonly directory: string
  /** Whether there is a run: whether its configuration was written. */
  readonly isBegun: Effect.Effect<boolean>
  /** Whether it has come to its end. */
  readonly isFinished: Effect.Effect<boolean>
  /** The process that trains it; undefined where there is none. */
  readonly trainer: Effect.Effect<Holder | undefined>
  readonly config: Effect.Effect<RunConfig, RunError | StorageError>
  /** Of the epochs so far. */
  readonly metrics: Effect.Effect<ReadonlyArray<EpochMetrics>, StorageError>
  /** Of the finished run. */
  readonly result: Effect.Effect<RunResult, StorageError>
  readonly checkpoints: CheckpointReader
  /** The folder for what the run's networks say of images, and the file for its report. */
  readonly outputs: string
  readonly report: string
}

const readConfig = Effect.fnUntraced(function* (directory: string) {
  const { config: file } = pathsIn(directory)
  if (!(yield* exists(file))) {
    const message = `there is no run in ${directory}: it has no config.json`
    return yield* new RunError({ reason: "NoRun", directory, message })
  }
  return yield* decodeRunConfig(directory, file, yield* readJson(file))
})

/** The run in a folder, which may be trained by another process meanwhile. */
export const openRun = (directory: string): RunReader => {
  const paths = pathsIn(directory)
  const { find, identify } = checkpointsIn(paths.checkpoints)
  return {
    directory,
    isBegun: exists(paths.config),
    isFinished: exists(paths.result),
    trainer: readHolder(path.join(directory, LOCK)),
    config: readConfig(directory),
    metrics: readMetrics(paths.metrics),
    result: readResult(paths.result),
    checkpoints: { find, identify },
    outputs: paths.outputs,
    report: paths.report
  }
}

type Written = Effect.Effect<void, RunError | StorageError>

/** A new run's folder by its path, or the first free one of NAME, NAME-2, … in the folder `root`. */
export type NewFolder = { readonly directory: string } | { readonly name: string; readonly root: string }

export class RunFolder extends Context.Service<
  RunFolder,
  RunReader & {
    /** The configuration of the run that is continued; none of a new one. */
    readonly begun: Option.Option<RunConfig>
    /** Writes the configuration; of a new run the first file, which makes the folder a run's. */
    readonly writeConfig: (config: RunConfig) => Written
    /** Adds an epoch's line. */
    readonly appendMetrics: (metrics: EpochMetrics) => Written
    /** Drops the lines after so many epochs. */
    readonly truncateMetrics: (epochs: number) => Written
    readonly writeResult: (result: RunResult) => Written
    readonly checkpoints: CheckpointReader & {
      readonly [Name in "save" | "saveBest" | "saveSnapshot"]: (
        ...args: Parameters<Checkpoints["Service"][Name]>
      ) => Written
    }
    /** Whether a state was saved that the run can be continued from. */
    readonly isSaved: Effect.Effect<boolean>
  }
>()("shakedrop/Train/Run/RunFolder") {
  /**
   * Claims a folder for a new run. Where nothing was saved in it by the end of the scope, it is gone again.
   *
   * @errors RunError where there is a run already, or another process has the folder; StorageError where it cannot be
   *   made
   */
  static readonly create = (folder: NewFolder): Layer.Layer<RunFolder, RunError | StorageError> =>
    Layer.effect(RunFolder, create(folder))

  /**
   * Takes the folder of a run that was begun, to continue it.
   *
   * @errors RunError where there is no run, it cannot be read, or another process trains it
   */
  static readonly resume = (directory: string): Layer.Layer<RunFolder, RunError | StorageError> =>
    Layer.effect(RunFolder, resume(directory))

  /** No folder: for a replica that is not the first, which writes nothing. */
  static readonly none: Layer.Layer<RunFolder> = Layer.sync(RunFolder, () => nowhere())
}

const nothing = (): Written => Effect.void

const nowhere = (): RunFolder["Service"] => {
  const reader = openRun("")
  return {
    ...reader,
    begun: Option.none(),
    writeConfig: nothing,
    appendMetrics: nothing,
    truncateMetrics: nothing,
    writeResult: nothing,
    checkpoints: { ...reader.checkpoints, save: nothing, saveBest: nothing, saveSnapshot: nothing },
    isSaved: Effect.succeed(false)
  }
}

/** The service of a claimed folder. Before each write it checks that the folder is still there. */
const owned = ({ directory, lock }: Claimed, begun: Option.Option<RunConfig>): RunFolder["Service"] => {
  const reader = openRun(directory)
  const paths = pathsIn(directory)
  const checkpoints = checkpointsIn(paths.checkpoints)
  const checkPlace = Effect.suspend(() => {
    if (lock.inPlace()) return Effect.void
    const message = `the folder ${directory} was removed, moved or replaced while its run was trained`
    return Effect.fail(new RunError({ reason: "FolderGone", directory, message }))
  })
  const guarded =
    <Args extends ReadonlyArray<unknown>>(write: (...args: Args) => Effect.Effect<void, StorageError>) =>
    (...args: Args): Written =>
      Effect.andThen(checkPlace, write(...args))
  return {
    ...reader,
    begun,
    writeConfig: guarded((config: RunConfig) =>
      writeFileAtomic(paths.config, `${JSON.stringify(config, null, 2)}\n`)
    ),
    appendMetrics: guarded((metrics: EpochMetrics) => appendMetrics(paths.metrics, metrics)),
    truncateMetrics: guarded((epochs: number) => truncateMetrics(paths.metrics, epochs)),
    writeResult: guarded((result: RunResult) => writeResult(paths.result, result)),
    checkpoints: {
      ...reader.checkpoints,
      save: guarded(checkpoints.save),
      saveBest: guarded(checkpoints.saveBest),
      saveSnapshot: guarded(checkpoints.saveSnapshot)
    },
    isSaved: checkpoints.identify("latest").pipe(
      Effect.map(({ identity }) => Option.isSome(identity)),
      Effect.orElseSucceed(() => false)
    )
  }
}

/** Takes a new run out of its folder again, where nothing of it was saved. */
const discardUnsaved = Effect.fnUntraced(function* (claimed: Claimed, run: RunFolder["Service"]) {
  if (!claimed.lock.inPlace() || (yield* run.isSaved) || (yield* run.isFinished)) return
  const { checkpoints, config, metrics } = pathsIn(claimed.directory)
  yield* Effect.ignore(removeStateless(checkpoints))
  for (const file of [config, metrics]) yield* Effect.ignore(remove(file))
  yield* Effect.ignore(removeEmpty(checkpoints))
})

/** Fails where a folder has anything of a run in it. */
const checkFree = Effect.fnUntraced(function* (directory: string) {
  for (const file of Object.values(pathsIn(directory))) {
    if (!(yield* exists(file))) continue
    const what = path.basename(file) === "config.json" ? "a run" : `${path.basename(file)} of a run`
    const message = `there is already ${what} in ${directory}`
    return yield* new RunError({ reason: "AlreadyThere", directory, message })
  }
})

const create = Effect.fnUntraced(function* (
  folder: NewFolder
): Effect.fn.Return<RunFolder["Service"], RunError | StorageError, Scope.Scope> {
  const claimed =
    "directory" in folder ? yield* claimGiven(folder.directory) : yield* claimNamed(folder.root, folder.name)
  yield* checkFree(claimed.directory)
  const run = owned(claimed, Option.none())
  yield* Effect.addFinalizer(() => discardUnsaved(claimed, run))
  return run
})

/** Files beside which a killed process may have left its half-written ones. */
const UNFINISHED = /^(?:config\.json|metrics\.jsonl|result\.json|report\.html)\.[0-9a-f]{8}\.tmp$/

const resume = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<RunFolder["Service"], RunError | StorageError, Scope.Scope> {
  const config = yield* readConfig(directory)
  const claimed = yield* claimExisting(directory)
  yield* removeUnfinished(pathsIn(directory).checkpoints)
  const unfinished = (yield* list(directory)).filter((file) => UNFINISHED.test(file))
  for (const file of unfinished) yield* remove(path.join(directory, file))
  return owned(claimed, Option.some(config))
})
