/**
 * Files that survive a killed process or a power cut: everything the project keeps is written beside its
 * place, flushed, and renamed into it, so that a reader finds either the old contents or the new ones.
 *
 * They go through effect's `FileSystem`: the one that a program provides, for instance a test with a full disk, and
 * Node's where it provides none, so that a program need not. Paths are only put together, which no service can change.
 */
import { randomBytes } from "node:crypto"
import * as os from "node:os"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { parseJson } from "./Json.ts"
import { refused, StorageError, storageError } from "./StorageError.ts"

export { StorageError, storageError } from "./StorageError.ts"

let nodes: FileSystem.FileSystem | undefined

const nodeFileSystem = (): FileSystem.FileSystem => {
  nodes ??= Effect.runSync(Effect.provide(FileSystem.FileSystem, NodeFileSystem.layer))
  return nodes
}

const fileSystem: Effect.Effect<FileSystem.FileSystem> = Effect.map(
  Effect.serviceOption(FileSystem.FileSystem),
  Option.getOrElse(nodeFileSystem)
)

/** Uses the file system; its failure says what could not be done with which file. */
export const using = <A, E extends PlatformError | StorageError, R = never>(
  what: string,
  file: string,
  use: (files: FileSystem.FileSystem) => Effect.Effect<A, E, R>
): Effect.Effect<A, StorageError, R> =>
  Effect.flatMap(fileSystem, use).pipe(
    Effect.mapError((error) => (error instanceof StorageError ? error : storageError(what, file)(error)))
  )

/** Bytes that Node reads at once at most. */
const LARGEST = 2 ** 31 - 1

/** Bytes of a text that somebody wrote, or a program for others to read, at most. */
export const LARGEST_TEXT = 64 << 20

/** What is not a regular file. */
const kinds: Readonly<Record<string, string>> = {
  Directory: "it is a folder",
  FIFO: "it is a pipe, not a regular file",
  Socket: "it is a socket, not a regular file"
}

/**
 * The size of a regular file, links followed, of at most so many bytes. What is not one, a pipe or a device, might give
 * bytes without an end, or none for ever.
 */
export const sizeOfFile = (file: string, most = LARGEST): Effect.Effect<number, StorageError> =>
  using("read", file, (files) =>
    Effect.flatMap(files.stat(file), ({ size, type }): Effect.Effect<number, StorageError> => {
      if (type !== "File") {
        return Effect.fail(
          refused("read", file, "WrongPath", kinds[type] ?? "it is a device, not a regular file")
        )
      }
      return Number(size) > most
        ? Effect.fail(
            refused(
              "read",
              file,
              "TooLarge",
              `it has ${size} bytes, more than the ${most} that such a file can have`
            )
          )
        : Effect.succeed(Number(size))
    })
  )

const asBuffer = ({ buffer, byteLength, byteOffset }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** The contents of a regular file of at most so many bytes: of what it can truly be. */
export const readFile = (file: string, most = LARGEST): Effect.Effect<Buffer, StorageError> =>
  Effect.andThen(
    sizeOfFile(file, most),
    Effect.map(
      using("read", file, (files) => files.readFile(file)),
      asBuffer
    )
  )

/** The first bytes of a regular file, as many as asked for or as there are. */
export const readStart = (file: string, length: number): Effect.Effect<Buffer, StorageError> =>
  Effect.andThen(
    sizeOfFile(file),
    using("read", file, (files) =>
      Effect.scoped(
        Effect.gen(function* () {
          const handle = yield* files.open(file, { flag: "r" })
          const bytes = new Uint8Array(length)
          let done = 0
          for (let got = -1; done < length && got !== 0; done += got) {
            got = Number(yield* handle.read(bytes.subarray(done)))
          }
          return asBuffer(bytes.subarray(0, done))
        })
      )
    )
  )

/** The contents of a JSON file. */
export const readJson = (file: string): Effect.Effect<unknown, StorageError> =>
  Effect.flatMap(readFile(file, LARGEST_TEXT), (bytes) =>
    Effect.try({
      try: () => parseJson(bytes),
      catch: (cause) =>
        new StorageError({
          reason: "Damaged",
          path: file,
          message: `${file} is not JSON: ${(cause as Error).message}`,
          cause
        })
    })
  )

/** Whether there is a file or folder of that name; not where that cannot be told. */
export const exists = (file: string): Effect.Effect<boolean> =>
  Effect.orElseSucceed(
    using("look at", file, (files) => files.exists(file)),
    () => false
  )

/** The names in a folder; none where there is no folder. */
export const list = (directory: string): Effect.Effect<Array<string>, StorageError> =>
  using("read", directory, (files) => files.readDirectory(directory)).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "NotFound",
      () => Effect.succeed([])
    )
  )

/** As `mkdir -p`. Node's own gives another reason than the true one where a file system cannot be written. */
export const makeDirectory = (directory: string): Effect.Effect<void, StorageError> =>
  using("create", directory, (files) => files.makeDirectory(directory)).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "AlreadyThere" || reason === "NotFound",
      Effect.fnUntraced(function* (error): Effect.fn.Return<void, StorageError> {
        if (error.reason === "AlreadyThere") {
          const { type } = yield* using("look at", directory, (files) => files.stat(directory))
          if (type !== "Directory") return yield* error
          return
        }
        const parent = path.dirname(directory)
        if (parent === directory) return yield* error
        yield* makeDirectory(parent)
        // Not again by this function: there are folders, as in /proc, in which none can be made.
        yield* using("create", directory, (files) => files.makeDirectory(directory)).pipe(
          Effect.catchIf(
            ({ reason }) => reason === "AlreadyThere",
            () => Effect.void
          )
        )
      })
    )
  )

/** Removes a file, if it is there. */
export const remove = (file: string): Effect.Effect<void, StorageError> =>
  using("remove", file, (files) => files.remove(file, { force: true }))

/** Removes a folder, if there is nothing in it. */
export const removeEmpty = (directory: string): Effect.Effect<void, StorageError> =>
  Effect.flatMap(list(directory), ({ length }) =>
    length > 0
      ? Effect.void
      : using("remove", directory, (files) => files.remove(directory, { recursive: true, force: true }))
  )

/** Renames a file or folder; a file that has the new name is replaced. */
export const rename = (from: string, to: string): Effect.Effect<void, StorageError> =>
  using("write", to, (files) => files.rename(from, to))

/** Gives a file's contents a second name, by a hard link where the file system has them. */
export const linkOrCopy = (from: string, to: string): Effect.Effect<void, StorageError> =>
  using("write", to, (files) => Effect.catch(files.link(from, to), () => files.copyFile(from, to)))

/** Flushes a folder's entries, so that a rename in it outlives a power cut. */
export const syncDirectory = (directory: string): Effect.Effect<void, StorageError> =>
  using("write", directory, (files) =>
    Effect.scoped(Effect.flatMap(files.open(directory, { flag: "r" }), ({ sync }) => sync))
  )

type Contents = string | Uint8Array | Iterable<Uint8Array>

const chunksOf = (contents: Contents): Iterable<Uint8Array> =>
  typeof contents === "string"
    ? [Buffer.from(contents)]
    : contents instanceof Uint8Array
      ? [contents]
      : contents

/** Writes to a file and flushes it. `named` is the file that a failure names. */
const write = (
  file: string,
  flag: "a" | "w",
  contents: Contents,
  named = file
): Effect.Effect<void, StorageError> =>
  using("write", named, (files) =>
    Effect.gen(function* () {
      const handle = yield* files.open(file, { flag })
      for (const chunk of chunksOf(contents)) if (chunk.length > 0) yield* handle.writeAll(chunk)
      if ((yield* handle.stat).type === "File") yield* handle.sync
    }).pipe(Effect.scoped)
  )

/** Adds to a file's end, durably: when it returns, it is on the disk. The folder is made if it is missing. */
export const appendFile = Effect.fnUntraced(function* (file: string, contents: string) {
  yield* makeDirectory(path.dirname(file))
  yield* write(file, "a", contents)
  yield* syncDirectory(path.dirname(file))
})

/** Milliseconds after which a temporary file that nobody writes to is taken for that of a killed process. */
const ABANDONED_AFTER = 600_000

/** What a temporary file is for, by its name: the name of the file that it would have become. */
const TEMPORARY = /^(.+)\.[0-9a-f]{8}\.tmp$/

/** Removes what killed processes left half-written in a folder: of one file, or of all. */
export const removeAbandoned = Effect.fnUntraced(function* (directory: string, name?: string) {
  const now = yield* Clock.currentTimeMillis
  for (const entry of yield* list(directory)) {
    const of = TEMPORARY.exec(entry)?.[1]
    if (of === undefined || (name !== undefined && of !== name)) continue
    const temporary = path.join(directory, entry)
    const stat = yield* Effect.option(using("look at", temporary, (files) => files.stat(temporary)))
    const written = Option.flatMap(stat, ({ mtime }) => mtime)
    if (Option.isSome(written) && now - written.value.getTime() > ABANDONED_AFTER) yield* remove(temporary)
  }
})

/** Whether a pipe or a device is there, as `/dev/stdout`: it is written to, never replaced. */
const isStream = (file: string): Effect.Effect<boolean> =>
  using("look at", file, (files) => files.stat(file)).pipe(
    Effect.map(({ type }) => type === "FIFO" || type === "CharacterDevice"),
    Effect.orElseSucceed(() => false)
  )

/**
 * Replaces a file's contents atomically and durably, and removes what killed processes left of it. Chunks are written
 * one after the other, so that a large file need not be joined in memory.
 */
export const writeFileAtomic = Effect.fnUntraced(function* (
  file: string,
  contents: Contents
): Effect.fn.Return<void, StorageError> {
  // At its end, because it has no places to write to.
  if (yield* isStream(file)) return yield* write(file, "a", contents)
  yield* makeDirectory(path.dirname(file))
  yield* removeAbandoned(path.dirname(file), path.basename(file))
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`
  yield* write(temporary, "w", contents, file).pipe(
    Effect.andThen(rename(temporary, file)),
    Effect.onError(() => Effect.ignore(remove(temporary)))
  )
  yield* syncDirectory(path.dirname(file))
})

/** Where libraries and prepared data are kept: `$XDG_CACHE_HOME/shakedrop`, else `~/.cache/shakedrop`. */
export const cacheDirectory = (): string =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "shakedrop")
