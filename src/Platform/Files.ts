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
import { isPlatformError, type PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** There is no such file or folder. */
  "NotFound",
  /** It is there already. */
  "AlreadyThere",
  /** It may not be read or written, or its file system is read-only. */
  "Denied",
  /** The disk is full, or the quota is used up. */
  "Full",
  /** The path is not one of a file, or not one of a folder, or has a name that is too long. */
  "WrongPath",
  /** What the file holds is not what was written, or not of its format. */
  "Damaged",
  /** Anything else that the operating system says; `cause` has it. */
  "Other"
])

/** A file could not be read or written. `message` names the path and the reason in one line. */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  reason: Reason,
  path: Schema.String,
  message: Schema.String,
  cause: Schema.optional(Schema.Unknown)
}) {}

/** What the operating system's codes of errors mean. */
const codes: Readonly<Record<string, readonly [reason: typeof Reason.Type, words: string]>> = {
  ENOENT: ["NotFound", "there is no such file or folder"],
  EACCES: ["Denied", "permission denied"],
  EPERM: ["Denied", "permission denied"],
  EROFS: ["Denied", "the file system is read-only"],
  ENOSPC: ["Full", "the disk is full"],
  EDQUOT: ["Full", "the disk quota is used up"],
  ENOTDIR: ["WrongPath", "a part of the path is not a folder"],
  EISDIR: ["WrongPath", "it is a folder"],
  EEXIST: ["AlreadyThere", "it already exists"],
  ENAMETOOLONG: ["WrongPath", "the name is too long"]
}

/** Turns what the file system fails with, or what `node:fs` throws, into a one-line error that names the path. */
export const storageError =
  (what: string, file: string) =>
  (cause: unknown): StorageError => {
    const thrown = isPlatformError(cause) ? (cause.reason.cause ?? cause.reason) : cause
    const { _tag, code, message } = thrown as Partial<Record<"_tag" | "code" | "message", string>>
    const known = codes[code ?? ""] ?? codes[tags[_tag ?? ""] ?? ""]
    const [reason, words] = known ?? (["Other", String(message ?? thrown)] as const)
    return new StorageError({
      reason,
      path: file,
      message: `cannot ${what} ${file}: ${words}`,
      cause: thrown
    })
  }

/** Codes of what a file system says that is not Node's. */
const tags: Readonly<Record<string, string>> = {
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  AlreadyExists: "EEXIST"
}

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
const using = <A, E extends PlatformError | StorageError>(
  what: string,
  file: string,
  use: (files: FileSystem.FileSystem) => Effect.Effect<A, E>
): Effect.Effect<A, StorageError> =>
  Effect.flatMap(fileSystem, use).pipe(
    Effect.mapError((error) => (error instanceof StorageError ? error : storageError(what, file)(error)))
  )

export const readFile = (file: string): Effect.Effect<Buffer, StorageError> =>
  Effect.map(
    using("read", file, (files) => files.readFile(file)),
    ({ buffer, byteLength, byteOffset }) => Buffer.from(buffer, byteOffset, byteLength)
  )

/** The contents of a JSON file. */
export const readJson = (file: string): Effect.Effect<unknown, StorageError> =>
  Effect.flatMap(readFile(file), (bytes) =>
    Effect.try({
      try: (): unknown => JSON.parse(bytes.toString("utf8")),
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
        yield* makeDirectory(directory)
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
      yield* handle.sync
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

/** Removes what killed processes left of a file half-written. */
const removeAbandoned = Effect.fnUntraced(function* (file: string) {
  const [directory, name] = [path.dirname(file), path.basename(file)]
  const now = yield* Clock.currentTimeMillis
  for (const entry of yield* list(directory)) {
    if (!entry.startsWith(`${name}.`) || !/^\.[0-9a-f]{8}\.tmp$/.test(entry.slice(name.length))) continue
    const temporary = path.join(directory, entry)
    const stat = yield* Effect.option(using("look at", temporary, (files) => files.stat(temporary)))
    const written = Option.flatMap(stat, ({ mtime }) => mtime)
    if (Option.isSome(written) && now - written.value.getTime() > ABANDONED_AFTER) yield* remove(temporary)
  }
})

/**
 * Replaces a file's contents atomically and durably, and removes what killed processes left of it. Chunks are written
 * one after the other, so that a large file need not be joined in memory.
 */
export const writeFileAtomic = Effect.fnUntraced(function* (
  file: string,
  contents: Contents
): Effect.fn.Return<void, StorageError> {
  yield* makeDirectory(path.dirname(file))
  yield* removeAbandoned(file)
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
