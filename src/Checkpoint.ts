/**
 * Checkpoints as a service: the newest few states of a run, the best one and snapshots, each verified when it is read.
 *
 * A checkpoint is two files: `step-0000123.safetensors` with every tensor, in PyTorch's names and layouts, and
 * `step-0000123.json` with the counters and the hashes of both. The second is written when the first is whole: without it there is
 * no checkpoint. Nothing is overwritten, and an old one goes only when a newer one is complete, so that whatever
 * stops the process leaves a whole checkpoint.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "./Config/Decode.ts"
import { fromPyTorch, toPyTorch } from "./Model/Weights/PyTorchLayout.ts"
import { readFile, readJson, StorageError, storageError, writeFileAtomic } from "./Platform/Files.ts"
import type { TensorRecord } from "./Tensor/HostTensor.ts"
import { decode, encode } from "./Tensor/Safetensors.ts"

export interface Checkpoint {
  /** Steps done when it was taken. */
  readonly step: number
  /** In device layouts. */
  readonly tensors: TensorRecord
  /** Whatever else a run needs to go on; plain JSON. */
  readonly counters: unknown
}

/** A checkpoint that was found, and a line for each damaged one that was passed over for it. */
export interface Found {
  readonly checkpoint: Option.Option<Checkpoint>
  readonly skipped: ReadonlyArray<string>
}

/** One of a run's checkpoints: the newest state, the best one, or the n-th snapshot (from 1). */
export type CheckpointName = "latest" | "best" | number

/** A checkpoint as it says itself, before it is read. */
export interface Identity {
  readonly step: number
  /** Of the file with its tensors, hex. */
  readonly sha256: string
}

export interface CheckpointOptions {
  /** How many of the newest are kept. */
  readonly keep: number
}

export class Checkpoints extends Context.Service<
  Checkpoints,
  {
    /** Keeps a state from which the run can go on. */
    readonly save: (checkpoint: Checkpoint) => Effect.Effect<void, StorageError>
    /** Keeps a state as the best one, in place of the one before. */
    readonly saveBest: (checkpoint: Checkpoint) => Effect.Effect<void, StorageError>
    /** Keeps a state for good. */
    readonly saveSnapshot: (checkpoint: Checkpoint) => Effect.Effect<void, StorageError>
    /** The newest whole checkpoint that a name stands for. */
    readonly find: (name: CheckpointName) => Effect.Effect<Found, StorageError>
    /** Which checkpoint a name stands for, without reading its tensors. */
    readonly identify: (name: CheckpointName) => Effect.Effect<Option.Option<Identity>, StorageError>
  }
>()("shakedrop/Checkpoint/Checkpoints") {
  /** Checkpoints in a folder, which is made when the first is saved. */
  static readonly layer = (directory: string, { keep }: CheckpointOptions): Layer.Layer<Checkpoints> =>
    Layer.succeed(Checkpoints, {
      save: (checkpoint) => save(directory, "step", keep, checkpoint),
      saveBest: (checkpoint) => save(directory, "best", 1, checkpoint),
      saveSnapshot: (checkpoint) => save(directory, "snapshot", Number.POSITIVE_INFINITY, checkpoint),
      find: (name) => find(directory, name),
      identify: (name) => identify(directory, name)
    })
}

type Kind = "step" | "best" | "snapshot"

const Manifest = Schema.Struct({
  step: Schema.Int,
  counters: Schema.Unknown,
  sha256: Schema.Struct({ tensors: Schema.String, counters: Schema.String })
})
type Manifest = typeof Manifest.Type

const hashOf = (chunks: Iterable<string | Uint8Array>): string => {
  const hash = createHash("sha256")
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest("hex")
}

const nameOf = (kind: Kind, step: number): string => `${kind}-${String(step).padStart(7, "0")}`

/** Names of a kind's complete checkpoints, without extension, newest first. */
const complete = (directory: string, kind: Kind): Effect.Effect<Array<string>, StorageError> =>
  Effect.map(list(directory), (names) =>
    names
      .flatMap((name) =>
        name.startsWith(`${kind}-`) && name.endsWith(".json") ? [path.parse(name).name] : []
      )
      .sort((a, b) => stepOf(b) - stepOf(a))
  )

/** Files that a name may stand for, the first choice first. */
const named = (directory: string, name: CheckpointName): Effect.Effect<Array<string>, StorageError> => {
  if (typeof name !== "number") return complete(directory, name === "latest" ? "step" : "best")
  return Effect.map(complete(directory, "snapshot"), (names) => names.reverse().slice(name - 1, name))
}

const stepOf = (name: string): number => Number(name.slice(name.indexOf("-") + 1))

const list = (directory: string): Effect.Effect<Array<string>, StorageError> =>
  Effect.tryPromise({ try: () => fs.readdir(directory), catch: storageError("read", directory) }).pipe(
    Effect.catchIf(
      ({ cause }) => (cause as { readonly code?: string }).code === "ENOENT",
      () => Effect.succeed([])
    )
  )

const save = Effect.fn("Checkpoints.save")(function* (
  directory: string,
  kind: Kind,
  keep: number,
  { counters, step, tensors }: Checkpoint
) {
  const file = path.join(directory, nameOf(kind, step))
  const chunks = encode(toPyTorch(tensors))
  yield* writeFileAtomic(`${file}.safetensors`, chunks)
  const sha256 = { tensors: hashOf(chunks), counters: hashOf([JSON.stringify(counters)]) }
  const manifest: Manifest = { step, counters, sha256 }
  yield* writeFileAtomic(`${file}.json`, `${JSON.stringify(manifest, null, 2)}\n`)
  yield* tidy(directory, kind, keep, step)
})

/**
 * Removes all of a kind but the one just saved and those before it, and what a killed process left half-written.
 * Later ones are damaged: the run went back to before them.
 */
const tidy = Effect.fnUntraced(function* (directory: string, kind: Kind, keep: number, saved: number) {
  const kept = new Set(
    (yield* complete(directory, kind)).filter((name) => stepOf(name) <= saved).slice(0, keep)
  )
  const stale = (yield* list(directory)).filter(
    (name) => name.startsWith(`${kind}-`) && (name.endsWith(".tmp") || !kept.has(path.parse(name).name))
  )
  // The manifest goes first: without it the rest is no checkpoint.
  const manifestsFirst = stale.sort((a, b) => Number(b.endsWith(".json")) - Number(a.endsWith(".json")))
  yield* Effect.tryPromise({
    try: async () => {
      for (const name of manifestsFirst) await fs.rm(path.join(directory, name), { force: true })
    },
    catch: storageError("tidy", directory)
  })
})

const damaged = (file: string, what: string) =>
  new StorageError({ path: file, message: `${file} is damaged: ${what}` })

const filesOf = (directory: string, name: string) => ({
  file: path.join(directory, `${name}.safetensors`),
  manifestFile: path.join(directory, `${name}.json`)
})

const readManifest = (file: string) =>
  Effect.flatMap(readJson(file), (json) =>
    Effect.mapError(decodeStrictly(Manifest, json), (problems) => damaged(file, problems))
  )

/** Reads and verifies one checkpoint; fails with what is wrong with it. */
const read = Effect.fnUntraced(function* (directory: string, name: string) {
  const { file, manifestFile } = filesOf(directory, name)
  const { counters, sha256, step } = yield* readManifest(manifestFile)
  if (hashOf([JSON.stringify(counters)]) !== sha256.counters) {
    return yield* damaged(manifestFile, "its counters do not have the hash they were written with")
  }
  const bytes = yield* readFile(file)
  if (hashOf([bytes]) !== sha256.tensors) {
    return yield* damaged(file, "it does not have the hash it was written with")
  }
  const { tensors } = yield* Effect.try({
    try: () => decode(bytes),
    catch: (cause) => damaged(file, (cause as Error).message)
  })
  return { step, counters, tensors: fromPyTorch(tensors) } satisfies Checkpoint
})

const find = Effect.fnUntraced(function* (directory: string, name: CheckpointName) {
  const skipped: Array<string> = []
  for (const file of yield* named(directory, name)) {
    const checkpoint = yield* read(directory, file).pipe(
      Effect.tapError(({ message }) => Effect.sync(() => skipped.push(`${message}; it is passed over`))),
      Effect.option
    )
    if (Option.isSome(checkpoint)) return { checkpoint, skipped } satisfies Found
  }
  return { checkpoint: Option.none(), skipped } satisfies Found
})

const identify = Effect.fnUntraced(function* (directory: string, name: CheckpointName) {
  const [first] = yield* named(directory, name)
  if (first === undefined) return Option.none<Identity>()
  const { sha256, step } = yield* readManifest(filesOf(directory, first).manifestFile)
  return Option.some<Identity>({ step, sha256: sha256.tensors })
})
