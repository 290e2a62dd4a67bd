/**
 * Claiming a folder: one process has it, from before anything slow begins until the scope ends. A folder that is made is
 * made exclusively (`mkdir` fails where there is one), and a lock in it keeps others out. A lock is an open file of this
 * process, so that this is `node:fs` and not effect's `FileSystem`, whose folders might be anywhere.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { warning } from "../../Events.ts"
import { type FileLock, type FileLocked, lockFile } from "../../Platform/FileLock.ts"
import { makeDirectory, type StorageError, storageError } from "../../Platform/Files.ts"
import { RunError } from "./RunError.ts"

/** The name of the file that a run is locked by. */
export const LOCK = "lock"

/** A folder that is ours until the scope ends. */
export interface Claimed {
  readonly directory: string
  readonly lock: FileLock
}

/** Everything in a folder but its lock; undefined where there is no folder. */
const contentsOf = (directory: string): ReadonlyArray<string> =>
  fs.readdirSync(directory).filter((name) => name !== LOCK)

/** Folders that are not there yet on the way to a path, the last one first. */
const missing = (directory: string): ReadonlyArray<string> => {
  const folders: Array<string> = []
  for (let folder = directory; !fs.existsSync(folder); folder = path.dirname(folder)) folders.push(folder)
  return folders
}

/** Removes folders that nobody has put anything into. */
const removeEmpty = (folders: ReadonlyArray<string>): void => {
  for (const folder of folders) {
    try {
      fs.rmdirSync(folder)
    } catch {
      return
    }
  }
}

const isTaken = ({ reason }: StorageError): boolean => reason === "AlreadyThere"

/** Makes a folder, which must not exist; if it is empty when the scope ends it goes again, with its parents that were made. */
const makeNew = (directory: string) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const made = missing(directory)
      yield* makeDirectory(path.dirname(directory))
      yield* Effect.try({ try: () => fs.mkdirSync(directory), catch: storageError("create", directory) })
      return made
    }),
    (made) => Effect.sync(() => removeEmpty(made))
  )

const lockIn = Effect.fnUntraced(function* (directory: string) {
  const lock = yield* lockFile(path.join(directory, LOCK))
  if (!lock.locked) {
    yield* warning(`the file system of ${directory} has no locks: no other process may write there`)
  }
  const claimed: Claimed = { directory, lock }
  return claimed
})

const inUse = (directory: string, { holder }: FileLocked): RunError => {
  const by = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`
  return new RunError({
    reason: "InUse",
    directory,
    message: `the run in ${directory} is in use by ${by}`
  })
}

const notAFolder = (directory: string, why: string): RunError =>
  new RunError({ reason: "NotAFolder", directory, message: `${why} cannot be a run's folder` })

/** Fails where a path is no folder, and could not become one. */
const checkName = (directory: string): Effect.Effect<void, RunError> =>
  Effect.suspend(() => {
    if (directory.trim() === "") return Effect.fail(notAFolder(directory, "an empty name"))
    const there = Effect.try(() => fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? true)
    return Effect.flatMap(
      Effect.orElseSucceed(there, () => true),
      (isFolder) =>
        isFolder ? Effect.void : Effect.fail(notAFolder(directory, `${directory} is a file, which`))
    )
  })

/** Claims the folder of a run that is there. */
export const claimExisting = Effect.fnUntraced(function* (directory: string) {
  return yield* lockIn(directory).pipe(
    Effect.catchTag("FileLocked", (locked) => Effect.fail(inUse(directory, locked)))
  )
})

/** Claims a folder for a new run: one that is made, or one that is there. What is in it is for the caller to judge. */
export const claimGiven = Effect.fnUntraced(function* (directory: string) {
  yield* checkName(directory)
  yield* Effect.catchIf(makeNew(directory), isTaken, () => Effect.void)
  return yield* claimExisting(directory)
})

/** Claims a folder of one name, where nobody else has put anything into it or holds it. */
const tryClaim = Effect.fnUntraced(function* (directory: string) {
  yield* Effect.catchIf(makeNew(directory), isTaken, () => Effect.void)
  // A process that was killed early leaves a folder with nothing but its lock.
  if (!fs.statSync(directory).isDirectory() || contentsOf(directory).length > 0) return Option.none<Claimed>()
  const claimed = yield* lockIn(directory)
  return contentsOf(directory).length > 0 ? Option.none<Claimed>() : Option.some(claimed)
})

/** Claims the first free one of the folders NAME, NAME-2, NAME-3, …. */
export const claimNamed = Effect.fnUntraced(function* (root: string, name: string) {
  for (let number = 1; ; number++) {
    const directory = path.join(root, number === 1 ? name : `${name}-${number}`)
    const scope = yield* Scope.fork(yield* Effect.scope)
    const claimed = yield* tryClaim(directory).pipe(
      Scope.provide(scope),
      Effect.catchTag("FileLocked", () => Effect.succeed(Option.none<Claimed>()))
    )
    if (Option.isSome(claimed)) return claimed.value
    yield* Scope.close(scope, Exit.void)
  }
})
