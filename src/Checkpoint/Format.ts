/** One checkpoint as two files: tensors, and the manifest that completes it. Reading verifies both. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "../Config/Decode.ts"
import { isObject } from "../Config/Overlay.ts"
import {
  linkOrCopy,
  list,
  readFile,
  readJson,
  remove,
  rename,
  StorageError,
  writeFileAtomic
} from "../Platform/Files.ts"
import { sha256 } from "../Platform/Hash.ts"
import { nonFinite, type TensorRecord } from "../Tensor/HostTensor.ts"
import { decode, encode } from "../Tensor/Safetensors.ts"

export interface Checkpoint {
  /** Steps done when it was taken. */
  readonly step: number
  /** By their names in the file, and as they are written there. */
  readonly tensors: TensorRecord
  /** Whatever else a run needs to go on; plain JSON. */
  readonly counters: unknown
  /** Of a state: the step of the best checkpoint that its counters speak of, where there is one. */
  readonly best?: number
}

export type Kind = "step" | "best" | "snapshot"

/** Of the manifest's format. */
const VERSION = 1

const Manifest = Schema.Struct({
  version: Schema.Literal(VERSION),
  step: Schema.Int,
  best: Schema.optionalKey(Schema.Int),
  counters: Schema.Unknown,
  sha256: Schema.Struct({
    tensors: Schema.String,
    /** Of the counters, with the step and the best one's. */
    counters: Schema.String
  })
})
type Manifest = typeof Manifest.Type

const hashOfState = ({ best, counters, step }: Pick<Manifest, "best" | "counters" | "step">): string =>
  sha256([JSON.stringify([step, best ?? null, counters])])

/** A checkpoint's name: that of its two files without extension. */
export const nameOf = (kind: Kind, step: number): string => `${kind}-${String(step).padStart(7, "0")}`

/** Files that are written here, whole or not: everything else in the folder is somebody else's. */
const OWN = /^(step|best|snapshot)-(\d{7,})(-before)?\.(?:json|safetensors)(?:\.[0-9a-f]{8}\.tmp)?$/

/** Whether a file is one of a kind's. */
export const isOf = (kind: Kind, file: string): boolean => OWN.exec(file)?.[1] === kind

/** The step in a checkpoint's name. */
export const stepOf = (name: string): number => Number(/\d+/.exec(name)?.[0])

/** Ends the name of a checkpoint that was set aside for another one of the same step. */
const BEFORE = "-before"

/** Whether a checkpoint was set aside. */
export const isBefore = (name: string): boolean => name.endsWith(BEFORE)

/** Removes what a killed process left half-written. Nobody may be writing. */
export const removeUnfinished = Effect.fnUntraced(function* (directory: string) {
  const unfinished = (yield* list(directory)).filter((file) => OWN.test(file) && file.endsWith(".tmp"))
  for (const file of unfinished) yield* remove(path.join(directory, file))
})

/**
 * Removes everything that was written of a run without any state to continue from: the best checkpoint goes before its
 * state, and a full disk may come between the two. Nobody may be writing.
 */
export const removeStateless = Effect.fnUntraced(function* (directory: string) {
  const files = (yield* list(directory)).filter((file) => OWN.test(file))
  if (files.some((file) => isOf("step", file) && file.endsWith(".json"))) return
  for (const file of files) yield* remove(path.join(directory, file))
})

const filesOf = (directory: string, name: string) => ({
  file: path.join(directory, `${name}.safetensors`),
  manifestFile: path.join(directory, `${name}.json`)
})

/**
 * Sets a checkpoint aside under another name, where one is in the place of a new one: it is whole until the new one is.
 * The tensors get their second name before the manifest gets its new one.
 */
const setAside = Effect.fnUntraced(function* (directory: string, name: string) {
  const { file, manifestFile } = filesOf(directory, name)
  const aside = filesOf(directory, `${name}${BEFORE}`)
  yield* remove(aside.file)
  yield* linkOrCopy(file, aside.file)
  yield* rename(manifestFile, aside.manifestFile)
})

/** Writes a checkpoint; what it is complete with comes last. */
export const write = Effect.fnUntraced(function* (directory: string, kind: Kind, checkpoint: Checkpoint) {
  const { best, counters, step, tensors } = checkpoint
  const name = nameOf(kind, step)
  const { file, manifestFile } = filesOf(directory, name)
  const there = yield* list(directory)
  if (there.includes(`${name}.json`) && there.includes(`${name}.safetensors`)) {
    yield* setAside(directory, name)
  }
  const chunks = encode(tensors)
  yield* writeFileAtomic(file, chunks)
  const state = { step, ...(best !== undefined && { best }), counters }
  const hashes = { tensors: sha256(chunks), counters: hashOfState(state) }
  const manifest: Manifest = { version: VERSION, ...state, sha256: hashes }
  yield* writeFileAtomic(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`)
})

const damaged = (file: string, what: string) =>
  new StorageError({ reason: "Damaged", path: file, message: `${file} is damaged: ${what}` })

/** Reads and verifies a manifest; fails with what is wrong with it. */
export const readManifest = Effect.fnUntraced(function* (directory: string, name: string) {
  const { file, manifestFile } = filesOf(directory, name)
  const json = yield* readJson(manifestFile)
  if (isObject(json) && json.version !== VERSION) {
    return yield* damaged(manifestFile, `its format has version ${json.version ?? 0}, not ${VERSION}`)
  }
  const manifest = yield* decodeStrictly(Manifest, json).pipe(
    Effect.mapError(({ message }) => damaged(manifestFile, message))
  )
  if (manifest.step !== stepOf(name)) {
    return yield* damaged(manifestFile, `it is of step ${manifest.step}, unlike its name`)
  }
  if (hashOfState(manifest) !== manifest.sha256.counters) {
    return yield* damaged(manifestFile, "its counters do not have the hash that they were written with")
  }
  if (!(yield* list(directory)).includes(path.basename(file))) {
    return yield* new StorageError({ reason: "NotFound", path: file, message: `${file} is missing` })
  }
  return manifest
})

/** Reads and verifies one checkpoint; fails with what is wrong with it. */
export const read = Effect.fnUntraced(function* (directory: string, name: string) {
  const { file } = filesOf(directory, name)
  const { best, counters, sha256: hashes, step } = yield* readManifest(directory, name)
  const bytes = yield* readFile(file)
  if (sha256([bytes]) !== hashes.tensors) {
    return yield* damaged(file, "it does not have the hash that it was written with")
  }
  const { tensors } = yield* Effect.try({
    try: () => decode(bytes),
    catch: (cause) => damaged(file, (cause as Error).message)
  })
  const [broken] = nonFinite(tensors)
  if (broken !== undefined) return yield* damaged(file, `it has a NaN or an infinity in ${broken}`)
  return { step, tensors, counters, ...(best !== undefined && { best }) } satisfies Checkpoint
})
