/**
 * Checkpoints: the newest few states of a run, the best one and snapshots, each verified when it is read.
 *
 * A checkpoint is two files: `step-0000123.safetensors` with every tensor, and `step-0000123.json`, the
 * manifest, with the counters and the hashes of both. The manifest is written when the tensors
 * are whole: without it there is no checkpoint. Nothing good is overwritten, and an old one goes only when a newer one
 * is complete, so that whatever stops the process leaves a whole checkpoint.
 */
import * as path from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import {
  type Checkpoint,
  isBefore,
  isOf,
  type Kind,
  nameOf,
  read,
  readManifest,
  stepOf,
  write
} from "./Checkpoint/Format.ts"
import { list, remove, type StorageError } from "./Platform/Files.ts"

export type { Checkpoint } from "./Checkpoint/Format.ts"

/** A checkpoint that was found, and a line for each damaged or missing one that was passed over for it. */
export interface Found {
  readonly checkpoint: Option.Option<Checkpoint>
  readonly skipped: ReadonlyArray<string>
}

/** One of a run's checkpoints: the newest state, the best one, or the n-th snapshot (from 1). */
export type CheckpointName = "latest" | "best" | number

/** A checkpoint as it says itself, before its tensors are read. */
export interface Identity {
  readonly step: number
  /** Of the file with its tensors, hex. */
  readonly sha256: string
}

/** As `Found`, before tensors are read. */
export interface Identified {
  readonly identity: Option.Option<Identity>
  readonly skipped: ReadonlyArray<string>
}

/** Checkpoints for somebody who does not write them. */
export interface CheckpointReader {
  /**
   * The newest whole checkpoint that a name stands for. The best one is the one that the newest state speaks of, or
   * none: no other is taken in its place.
   */
  readonly find: (name: CheckpointName) => Effect.Effect<Found, StorageError>
  /** Which checkpoint a name stands for, without reading its tensors; it falls back as `find` does. */
  readonly identify: (name: CheckpointName) => Effect.Effect<Identified, StorageError>
}

export class Checkpoints extends Context.Service<
  Checkpoints,
  CheckpointReader & {
    /**
     * Keeps a state from which the run can go on, and of those before it the newest `keep` with it. Of the best ones
     * it keeps the one that this state speaks of.
     */
    readonly save: (
      checkpoint: Checkpoint,
      options: { readonly keep: number }
    ) => Effect.Effect<void, StorageError>
    /** Keeps a state as the best one, beside the one before until a state that speaks of the new one is saved. */
    readonly saveBest: (checkpoint: Checkpoint) => Effect.Effect<void, StorageError>
    /** Keeps a state for good. */
    readonly saveSnapshot: (checkpoint: Checkpoint) => Effect.Effect<void, StorageError>
  }
>()("shakedrop/Checkpoint/Checkpoints") {
  /** Checkpoints in a folder, which is made when the first is saved. */
  static readonly layer = (directory: string): Layer.Layer<Checkpoints> =>
    Layer.succeed(Checkpoints, checkpointsIn(directory))
}

/** What a run is judged by: its best checkpoint, also where that is damaged; the newest where none was ever chosen. */
export const judgedBy = (checkpoints: CheckpointReader): Effect.Effect<"best" | "latest", StorageError> =>
  Effect.map(checkpoints.identify("best"), ({ identity, skipped }) =>
    Option.isNone(identity) && skipped.length === 0 ? "latest" : "best"
  )

/** The checkpoints in a folder, which is made when the first is saved. One process at a time may save. */
export const checkpointsIn = (directory: string): Checkpoints["Service"] => ({
  save: (checkpoint, { keep }) => saveState(directory, checkpoint, keep),
  saveBest: (checkpoint) => write(directory, "best", checkpoint),
  saveSnapshot: (checkpoint) => saveSnapshot(directory, checkpoint),
  find: (name) => find(directory, name),
  identify: (name) => identify(directory, name)
})

/** Names of a kind's complete checkpoints, without extension, newest first. */
const complete = (directory: string, kind: Kind): Effect.Effect<Array<string>, StorageError> =>
  Effect.map(list(directory), (files) =>
    files
      .flatMap((file) => (isOf(kind, file) && file.endsWith(".json") ? [path.parse(file).name] : []))
      .sort((a, b) => stepOf(b) - stepOf(a) || Number(isBefore(a)) - Number(isBefore(b)))
  )

/** The first name of each step: the others were set aside for it. */
const oneAStep = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, i) => i === 0 || stepOf(name) !== stepOf(names[i - 1]))

/** Names that a name may stand for, the first choice first, and what kept the newest state from saying which. */
const named = Effect.fnUntraced(function* (directory: string, name: CheckpointName) {
  if (name === "latest") return { names: yield* complete(directory, "step"), skipped: [] }
  if (typeof name === "number") {
    const snapshots = oneAStep(yield* complete(directory, "snapshot")).toReversed()
    return { names: snapshots.slice(name - 1, name), skipped: [] }
  }
  const best = yield* complete(directory, "best")
  const states = yield* complete(directory, "step")
  const { found, skipped } = yield* firstOf(states, (state) => readManifest(directory, state))
  // Without any state that could speak of it, it is the newest.
  if (Option.isNone(found)) return { names: best, skipped }
  const { best: step } = found.value
  const names = best.filter((name) => stepOf(name) === step)
  if (step === undefined || names.length > 0) return { names, skipped }
  const file = path.join(directory, `${nameOf("best", step)}.json`)
  return { names, skipped: [...skipped, `${file} is missing`] }
})

const saveState = Effect.fn("Checkpoints.save")(function* (
  directory: string,
  checkpoint: Checkpoint,
  keep: number
) {
  yield* write(directory, "step", checkpoint)
  yield* removeAllBut(directory, "step", yield* newestUpTo(directory, "step", checkpoint.step, keep))
  if (checkpoint.best !== undefined) {
    yield* removeAllBut(directory, "best", [nameOf("best", checkpoint.best)])
  }
})

const saveSnapshot = Effect.fnUntraced(function* (directory: string, checkpoint: Checkpoint) {
  yield* write(directory, "snapshot", checkpoint)
  const { step } = checkpoint
  yield* removeAllBut(directory, "snapshot", yield* newestUpTo(directory, "snapshot", step))
})

/** Names of a kind's newest checkpoints. Those of later steps are damaged: the run went back to before them. */
const newestUpTo = (directory: string, kind: Kind, saved: number, keep = Number.POSITIVE_INFINITY) =>
  Effect.map(complete(directory, kind), (names) =>
    oneAStep(names)
      .filter((name) => stepOf(name) <= saved)
      .slice(0, keep)
  )

/** Removes all of a kind but some, with what a killed process left half-written. */
const removeAllBut = Effect.fnUntraced(function* (
  directory: string,
  kind: Kind,
  kept: ReadonlyArray<string>
) {
  const stale = (yield* list(directory)).filter(
    (file) => isOf(kind, file) && (file.endsWith(".tmp") || !kept.includes(path.parse(file).name))
  )
  // The manifest goes first: without it the rest is no checkpoint.
  const manifestsFirst = stale.sort((a, b) => Number(b.endsWith(".json")) - Number(a.endsWith(".json")))
  for (const file of manifestsFirst) yield* remove(path.join(directory, file))
})

/** What can be read of the first of some checkpoints, and a line for each before it that cannot. */
const firstOf = Effect.fnUntraced(function* <A>(
  names: ReadonlyArray<string>,
  readOne: (name: string) => Effect.Effect<A, StorageError>
) {
  const skipped: Array<string> = []
  for (const name of names) {
    const found = yield* readOne(name).pipe(
      Effect.tapError(({ message }) => Effect.sync(() => skipped.push(message))),
      Effect.option
    )
    if (Option.isSome(found)) return { found, skipped }
  }
  return { found: Option.none<A>(), skipped }
})

const find = Effect.fnUntraced(function* (directory: string, name: CheckpointName) {
  const { names, skipped } = yield* named(directory, name)
  const first = yield* firstOf(names, (name) => read(directory, name))
  return { checkpoint: first.found, skipped: [...skipped, ...first.skipped] } satisfies Found
})

const identify = Effect.fnUntraced(function* (directory: string, name: CheckpointName) {
  const { names, skipped } = yield* named(directory, name)
  const first = yield* firstOf(names, (name) => readManifest(directory, name))
  const identity = Option.map(first.found, ({ sha256, step }) => ({ step, sha256: sha256.tensors }))
  return { identity, skipped: [...skipped, ...first.skipped] } satisfies Identified
})
