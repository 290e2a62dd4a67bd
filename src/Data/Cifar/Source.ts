/**
 * Finds the files of a CIFAR archive in a folder, unpacked or packed, and reads them.
 */
import { createReadStream, type Dirent } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import * as Effect from "effect/Effect"
import * as tar from "tar-stream"
import { readFile, storageError } from "../../Platform/Files.ts"
import { DataError } from "../Types.ts"
import type { Format } from "./Format.ts"

/** Where a data set was found: a folder of unpacked files, or an archive. */
export interface Found {
  readonly format: Format
  readonly place: string
  readonly packed: boolean
}

const entriesIn = (directory: string) =>
  Effect.tryPromise({
    try: () => fs.readdir(directory, { withFileTypes: true }),
    catch: storageError("read", directory)
  })

/** Whether a file of the training or test images is among the entries; an image folder's `train` is none. */
const holdsSome = ({ train, test }: Format, entries: ReadonlyArray<Dirent>): boolean =>
  entries.some((entry) => !entry.isDirectory() && (train.includes(entry.name) || entry.name === test))

/** Finds the unpacked files in the folder itself or in the archive's folder below it, else the archive. */
export const findSource = Effect.fnUntraced(function* (
  directory: string,
  formats: ReadonlyArray<Format>,
  missing: DataError
) {
  const here = yield* entriesIn(directory)
  for (const format of formats)
    if (holdsSome(format, here)) return { format, place: directory, packed: false } satisfies Found
  for (const format of formats) {
    if (!here.some(({ name }) => name === format.folder)) continue
    const place = path.join(directory, format.folder)
    if (holdsSome(format, yield* entriesIn(place))) return { format, place, packed: false } satisfies Found
  }
  for (const format of formats)
    if (here.some(({ name }) => name === format.archive))
      return { format, place: path.join(directory, format.archive), packed: true } satisfies Found
  return yield* missing
})

/** The wanted files of an archive, by name, wherever in the archive they lie. */
const unpack = async (archive: string, wanted: ReadonlySet<string>, signal: AbortSignal) => {
  const files = new Map<string, Buffer>()
  const extract = tar.extract()
  const collect = async () => {
    for await (const entry of extract) {
      const name = path.posix.basename(entry.header.name)
      if (entry.header.type === "file" && wanted.has(name)) {
        const chunks: Array<Buffer> = []
        for await (const chunk of entry) chunks.push(chunk as Buffer)
        files.set(name, Buffer.concat(chunks))
      } else entry.resume()
    }
  }
  await Promise.all([pipeline(createReadStream(archive), createGunzip(), extract, { signal }), collect()])
  return files
}

/** The contents of the files that belong to the data set, by name. */
export const readSource = Effect.fnUntraced(function* ({ format, place, packed }: Found) {
  const names = [...format.train, format.test, format.names]
  if (!packed) {
    const files = new Map<string, Buffer>()
    const present = yield* entriesIn(place)
    for (const { name } of present)
      if (names.includes(name)) files.set(name, yield* readFile(path.join(place, name)))
    return files
  }
  return yield* Effect.tryPromise({
    try: (signal) => unpack(place, new Set(names), signal),
    catch: (cause) =>
      new DataError({
        message: `cannot unpack ${place}: ${(cause as Error).message}; download it again`,
        cause
      })
  })
})
