/**
 * Checkpoints as a service: the newest few states of a run and the best one, each verified when it is read.
 *
 * A checkpoint is two files: `step-0000123.safetensors` with every tensor and the counters, in PyTorch's names and
 * layouts, and `step-0000123.json` with its hash. The second is written when the first is whole: without it there is
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
import { fromPyTorch, toPyTorch } from "./Model/PyTorchLayout.ts"
import { decode, encode, SafetensorsError } from "./Safetensors.ts"
import { readFile, StorageError, storageError, writeFileAtomic } from "./Storage.ts"
import type { TensorRecord } from "./Tensor.ts"

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
    /** The newest whole state. */
    readonly latest: Effect.Effect<Found, StorageError>
    /** The best state. */
    readonly best: Effect.Effect<Found, StorageError>
  }
>()("shakedrop/Checkpoint/Checkpoints") {
  /** Checkpoints in a folder, which is made when the first is saved. */
  static readonly layer = (directory: string, { keep }: CheckpointOptions): Layer.Layer<Checkpoints> =>
    Layer.succeed(Checkpoints, {
      save: (checkpoint) => save(directory, "step", keep, checkpoint),
      saveBest: (checkpoint) => save(directory, "best", 1, checkpoint),
      latest: newest(directory, "step"),
      best: newest(directory, "best")
    })
}

type Kind = "step" | "best"

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
  const chunks = encode(toPyTorch(tensors), { step: String(step), counters: JSON.stringify(counters) })
  const hash = createHash("sha256")
  for (const chunk of chunks) hash.update(chunk)
  yield* writeFileAtomic(`${file}.safetensors`, chunks)
  const manifest = { step, sha256: hash.digest("hex"), counters }
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

/** The hash that a manifest names. */
const expectedHash = (manifest: Buffer): unknown => {
  try {
    return (JSON.parse(manifest.toString("utf8")) as { readonly sha256?: unknown }).sha256
  } catch {
    return undefined
  }
}

/** Reads and verifies one checkpoint; fails with what is wrong with it. */
const read = Effect.fnUntraced(function* (directory: string, name: string) {
  const file = path.join(directory, `${name}.safetensors`)
  const expected = expectedHash(yield* readFile(path.join(directory, `${name}.json`)))
  const bytes = yield* readFile(file)
  if (createHash("sha256").update(bytes).digest("hex") !== expected) {
    return yield* new StorageError({
      path: file,
      message: `${file} is damaged: it does not have the hash it was written with`
    })
  }
  return yield* Effect.try({
    try: (): Checkpoint => {
      const { metadata, tensors } = decode(bytes)
      return {
        step: Number(metadata.step),
        counters: JSON.parse(metadata.counters),
        tensors: fromPyTorch(tensors)
      }
    },
    catch: (cause) =>
      new StorageError({
        path: file,
        message: `${file} is damaged: ${cause instanceof SafetensorsError ? cause.message : "it has no counters"}`,
        cause
      })
  })
})

const newest = (directory: string, kind: Kind): Effect.Effect<Found, StorageError> =>
  Effect.gen(function* () {
    const skipped: Array<string> = []
    for (const name of yield* complete(directory, kind)) {
      const checkpoint = yield* read(directory, name).pipe(
        Effect.tapError(({ message }) => Effect.sync(() => skipped.push(`${message}; it is passed over`))),
        Effect.option
      )
      if (Option.isSome(checkpoint)) return { checkpoint, skipped }
    }
    return { checkpoint: Option.none(), skipped }
  })
