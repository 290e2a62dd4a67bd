/**
 * Decoded images as one file, so that a second start need not decode them again.
 *
 * Layout: the length of the header (uint32, little-endian), the header (JSON), then the pixels and labels
 * (uint16) of the training images, then those of the test images. The header holds a SHA-256 of all the rest.
 */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { warning } from "../../Events.ts"
import { asBytes } from "../../Platform/Bytes.ts"
import {
  cacheDirectory,
  makeDirectory,
  removeAbandoned,
  type StorageError,
  storageError,
  writeFileAtomic
} from "../../Platform/Files.ts"
import { sha256 } from "../../Platform/Hash.ts"
import type { LabelledImages } from "../Labelled.ts"
import { shared } from "../Statistics.ts"
import { DataError } from "../Types.ts"

/** Image folders as decoded: their images, and which files could not be read. */
export interface DecodedFolder extends Omit<LabelledImages, "name"> {
  readonly skipped: ReadonlyArray<{ readonly path: string; readonly reason: string }>
}

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Contents = Schema.Struct({
  classes: Schema.Array(Schema.String),
  height: Count,
  width: Count,
  train: Count,
  /** Of those for training, where they lie in a folder of their own. */
  validation: Schema.optionalKey(Count),
  test: Count,
  skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String }))
})

const Header = Schema.fromJsonString(Schema.Struct({ sha256: Schema.String, contents: Contents }))
const decodeHeader = Schema.decodeUnknownResult(Header)

/** Bytes read or written at a time; Node reads at most 2 GiB at once. */
const CHUNK = 64 << 20

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
}

const blocksOf = (folder: Omit<DecodedFolder, "skipped">): ReadonlyArray<Uint8Array> =>
  [folder.train, folder.test].flatMap(({ images, labels }) => [images.pixels, asBytes(labels)])

const folder = (): string => path.join(cacheDirectory(), "datasets")

/** Where the cache of a key lies. */
export const cacheFile = (key: string): string => path.join(folder(), `folder-${key.slice(0, 32)}.images`)

/** Removes caches that killed processes left half-written: each is as large as a data set. */
export const removeHalfWritten: Effect.Effect<void> = Effect.ignore(
  Effect.suspend(() => removeAbandoned(folder()))
)

const unwritable = (error: StorageError): DataError =>
  new DataError({
    message: `${error.message}: the decoded images are kept there; set XDG_CACHE_HOME to a folder that can be written`,
    cause: error
  })

/** Fails early, before hours of decoding, where the cache could not be written afterwards. */
export const checkWritable = (file: string): Effect.Effect<void, DataError> => {
  const folder = path.dirname(file)
  return makeDirectory(folder).pipe(
    Effect.mapError(unwritable),
    Effect.andThen(
      Effect.tryPromise({
        try: () => fs.access(folder, fs.constants.W_OK),
        catch: (cause) => unwritable(storageError("write to", folder)(cause))
      })
    )
  )
}

/** Writes the cache atomically. */
export const writeCache = Effect.fn("writeCache")(function* (file: string, folder: DecodedFolder) {
  const contents = {
    classes: folder.classes,
    height: folder.train.images.height,
    width: folder.train.images.width,
    train: folder.train.images.count,
    ...(folder.validation !== undefined && { validation: folder.validation }),
    test: folder.test.images.count,
    skipped: folder.skipped
  }
  const hash = sha256([JSON.stringify(contents), ...blocksOf(folder)])
  const header = Buffer.from(JSON.stringify({ sha256: hash, contents }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.length)
  const chunks = function* () {
    yield length
    yield header
    for (const block of blocksOf(folder)) yield* chunksOf(block)
  }
  yield* writeFileAtomic(file, chunks()).pipe(Effect.mapError(unwritable))
})

/** Fills a block from the file, from `position` on; false where the file ends before. */
const readInto = async (handle: fs.FileHandle, block: Uint8Array, position: number): Promise<boolean> => {
  let done = 0
  while (done < block.length) {
    const length = Math.min(CHUNK, block.length - done)
    const { bytesRead } = await handle.read(block, done, length, position + done)
    if (bytesRead === 0) return false
    done += bytesRead
  }
  return true
}

/** Reads a cache straight into shared memory; undefined where its contents are not what was written. */
const readContents = async (handle: fs.FileHandle): Promise<DecodedFolder | undefined> => {
  const { size } = await handle.stat()
  const length = Buffer.alloc(4)
  if (!(await readInto(handle, length, 0))) return undefined
  const header = Buffer.alloc(Math.min(length.readUInt32LE(), size))
  if (!(await readInto(handle, header, 4))) return undefined
  const decoded = decodeHeader(header.toString())
  if (Result.isFailure(decoded)) return undefined
  const { sha256: hash, contents } = decoded.success
  const { classes, height, skipped, validation, width } = contents
  if (size !== 4 + header.length + (contents.train + contents.test) * (height * width * 3 + 2))
    return undefined
  const split = (count: number): LabelledImages["train"] => ({
    images: { pixels: shared(count * height * width * 3), count, height, width },
    labels: new Uint16Array(count)
  })
  const folder = {
    classes,
    skipped,
    train: split(contents.train),
    ...(validation !== undefined && { validation }),
    test: split(contents.test)
  }
  let position = 4 + header.length
  for (const block of blocksOf(folder)) {
    if (!(await readInto(handle, block, position))) return undefined
    position += block.length
  }
  return sha256([JSON.stringify(contents), ...blocksOf(folder)]) === hash ? folder : undefined
}

/**
 * Reads a cache back. None where there is none or it cannot be used; a damaged one is warned of, as it is
 * about to be replaced.
 */
export const readCache = Effect.fn("readCache")(function* (file: string) {
  const folder = yield* Effect.acquireUseRelease(
    Effect.tryPromise(() => fs.open(file, "r")),
    (handle) => Effect.tryPromise(() => readContents(handle)),
    (handle) => Effect.promise(() => handle.close())
  ).pipe(Effect.option)
  if (Option.isSome(folder) && folder.value === undefined)
    yield* warning(`the cache ${file} is damaged: decoding the images again`)
  return Option.filter(folder, (value) => value !== undefined)
})
