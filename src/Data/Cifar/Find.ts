/**
 * Finds a CIFAR data set below a folder: as published, packed or unpacked, as torchvision and Keras keep it, and in
 * folders of a user's own.
 */
import type { Dirent } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { message } from "../../Events.ts"
import { type StorageError, storageError } from "../../Platform/Files.ts"
import { someOf } from "../../Platform/Text.ts"
import { DataError } from "../Types.ts"
import type { Format } from "./Format.ts"

/** Where a data set was found: a folder of unpacked files, or an archive. */
export interface Found {
  readonly format: Format
  readonly place: string
  readonly packed: boolean
}

type Formats = ReadonlyArray<Format>

/** Folders below the one that is given in which a data set is looked for, and how many of them at most. */
const DEPTH = 2
const MOST_FOLDERS = 1000

/** The entries of a folder by name. Node's own, which tells files from folders without asking for each. */
export const entriesIn = (directory: string): Effect.Effect<ReadonlyArray<Dirent>, StorageError> =>
  Effect.tryPromise({
    try: async () => {
      const entries = await fs.readdir(directory, { withFileTypes: true })
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    catch: storageError("read", directory)
  })

/** Whether files are among the entries; an image folder's `train` is none. */
const isThere = (entries: ReadonlyArray<Dirent>) => (file: string) =>
  entries.some((entry) => !entry.isDirectory() && entry.name === file)

const holdsSome = ({ test, train }: Format, entries: ReadonlyArray<Dirent>): boolean =>
  [...train, test].some(isThere(entries))

const holdsAll = ({ names, test, train }: Format, entries: ReadonlyArray<Dirent>): boolean =>
  [...train, test, names].every(isThere(entries))

/** What may follow in an archive's name: what Keras and browsers add, and browsers and `gunzip` take away. */
const ENDING = /^(-target)?(_archive|[ ().\d]*(\.tar|\.tgz)[ ().\d]*(\.gz)?[ ().\d]*)$/

/** The archive of a format among the entries, the one with the published name first. */
const archiveAmong = ({ archive, folder }: Format, entries: ReadonlyArray<Dirent>): string | undefined => {
  const stems = [archive.replace(".tar.gz", ""), folder]
  const isArchive = ({ name }: Dirent) =>
    stems.some((stem) => name.startsWith(stem) && ENDING.test(name.slice(stem.length)))
  const names = entries.filter((entry) => !entry.isDirectory() && isArchive(entry)).map(({ name }) => name)
  return names.includes(archive) ? archive : names[0]
}

/** The unpacked files in a folder itself or in the archive's folder below it, else the archive. */
const findIn = Effect.fnUntraced(function* (
  directory: string,
  entries: ReadonlyArray<Dirent>,
  formats: Formats,
  holds: typeof holdsAll
): Effect.fn.Return<Found | undefined, StorageError> {
  const here = formats.find((format) => holds(format, entries))
  if (here !== undefined) return { format: here, place: directory, packed: false }
  for (const format of formats) {
    if (!entries.some((entry) => entry.name === format.folder && !entry.isFile())) continue
    const place = path.join(directory, format.folder)
    if (holdsSome(format, yield* entriesIn(place))) return { format, place, packed: false }
  }
  for (const format of formats) {
    const archive = archiveAmong(format, entries)
    if (archive !== undefined) return { format, place: path.join(directory, archive), packed: true }
  }
  return undefined
})

interface Folder {
  readonly directory: string
  readonly entries: ReadonlyArray<Dirent>
}

/** The folders in folders, links followed; hidden ones and those that cannot be read are left out. */
const below = Effect.fnUntraced(function* (folders: ReadonlyArray<Folder>) {
  const found: Array<Folder> = []
  for (const { directory, entries } of folders) {
    for (const entry of entries) {
      if (found.length === MOST_FOLDERS) return found
      if (entry.name.startsWith(".") || !(entry.isDirectory() || entry.isSymbolicLink())) continue
      const place = path.join(directory, entry.name)
      const inside = yield* Effect.option(entriesIn(place))
      if (inside._tag === "Some") found.push({ directory: place, entries: inside.value })
    }
  }
  return found
})

/**
 * Finds a data set in a folder, or whole in one of the folders below it.
 *
 * @errors StorageError where the folder cannot be read; DataError where several of the folders below it have one; what
 * is given as `missing` where none has
 */
export const findSource = Effect.fnUntraced(function* (
  directory: string,
  formats: Formats,
  missing: DataError
) {
  const entries = yield* entriesIn(directory)
  const here = yield* findIn(directory, entries, formats, holdsSome)
  if (here !== undefined) return here
  let folders: ReadonlyArray<Folder> = [{ directory, entries }]
  for (let depth = 0; depth < DEPTH; depth++) {
    folders = yield* below(folders)
    const found: Array<Found> = []
    for (const folder of folders) {
      const one = yield* Effect.option(findIn(folder.directory, folder.entries, formats, holdsAll))
      if (one._tag === "Some" && one.value !== undefined) found.push(one.value)
    }
    if (found.length === 1) {
      yield* message(`the data set was found in ${found[0].place}`)
      return found[0]
    }
    if (found.length > 1) {
      return yield* new DataError({
        reason: "Ambiguous",
        message: `${directory} holds the data set more than once: ${someOf(found.map(({ place }) => place))}`
      })
    }
  }
  return yield* missing
})
