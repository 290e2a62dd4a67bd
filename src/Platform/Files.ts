/**
 * Files that survive a killed process or a power cut: everything the project keeps is written beside its
 * place, flushed, and renamed into it, so that a reader finds either the old contents or the new ones.
 */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
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

/** Turns what `node:fs` throws into a one-line error that names the path. */
export const storageError =
  (what: string, file: string) =>
  (cause: unknown): StorageError => {
    const code = (cause as { readonly code?: string }).code
    const known = code === undefined ? undefined : codes[code]
    const [reason, words] = known ?? (["Other", String((cause as Error).message ?? cause)] as const)
    return new StorageError({ reason, path: file, message: `cannot ${what} ${file}: ${words}`, cause })
  }

const attempt = <A>(what: string, file: string, run: () => Promise<A>): Effect.Effect<A, StorageError> =>
  Effect.tryPromise({ try: run, catch: storageError(what, file) })

export const readFile = (file: string): Effect.Effect<Buffer, StorageError> =>
  attempt("read", file, () => fs.readFile(file))

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

/** As `mkdir -p`. Node's own gives another reason than the true one where a file system cannot be written. */
export const makeFolder = async (directory: string): Promise<void> => {
  try {
    await fs.mkdir(directory)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === "EEXIST" && (await fs.stat(directory)).isDirectory()) return
    if (code !== "ENOENT" || path.dirname(directory) === directory) throw cause
    await makeFolder(path.dirname(directory))
    await fs.mkdir(directory).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== "EEXIST") throw again
    })
  }
}

export const makeDirectory = (directory: string): Effect.Effect<void, StorageError> =>
  attempt("create", directory, () => makeFolder(directory))

/** Flushes a folder's entries, so that a rename in it outlives a power cut. */
export const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await fs.open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Milliseconds after which a temporary file that nobody writes to is taken for that of a killed process. */
const ABANDONED_AFTER = 600_000

/** Removes what killed processes left of a file half-written. */
const removeAbandoned = async (file: string): Promise<void> => {
  const [directory, name] = [path.dirname(file), path.basename(file)]
  for (const entry of await fs.readdir(directory)) {
    if (!entry.startsWith(`${name}.`) || !/^\.[0-9a-f]{8}\.tmp$/.test(entry.slice(name.length))) continue
    const temporary = path.join(directory, entry)
    const written = await fs.stat(temporary).catch(() => undefined)
    if (written !== undefined && Date.now() - written.mtimeMs > ABANDONED_AFTER) {
      await fs.rm(temporary, { force: true })
    }
  }
}

/**
 * Replaces a file's contents atomically and durably, and removes what killed processes left of it. Chunks are written one after the other, so that a large
 * file need not be joined in memory.
 */
export const writeFileAtomic = (
  file: string,
  contents: string | Uint8Array | Iterable<Uint8Array>
): Effect.Effect<void, StorageError> =>
  attempt("write", file, async () => {
    await makeFolder(path.dirname(file))
    await removeAbandoned(file)
    const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`
    try {
      const handle = await fs.open(temporary, "w")
      try {
        const chunks = typeof contents === "string" || contents instanceof Uint8Array ? [contents] : contents
        for (const chunk of chunks) await handle.writeFile(chunk)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await fs.rename(temporary, file)
      await syncDirectory(path.dirname(file))
    } catch (cause) {
      await fs.rm(temporary, { force: true })
      throw cause
    }
  })

/** Where libraries and prepared data are kept: `$XDG_CACHE_HOME/shakedrop`, else `~/.cache/shakedrop`. */
export const cacheDirectory = (): string =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "shakedrop")
