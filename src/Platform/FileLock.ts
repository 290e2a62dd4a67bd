/**
 * File lock: one owner at a time, for as long as its process lives. It is the kernel's own (`flock`), so that a killed
 * holder does not keep it, and the file's text only says whose it is. Node has no such call, so it is libc's, on Node's
 * own file descriptors.
 */
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as os from "node:os"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type StorageError, storageError } from "./Files.ts"

/** The process that holds a lock. */
export interface Holder {
  readonly pid: number
  readonly host: string
}

/** Another process holds the lock, or this one does already. */
export class FileLocked extends Data.TaggedError("FileLocked")<{
  readonly path: string
  /** Undefined where the file does not say. */
  readonly holder: Holder | undefined
  readonly message: string
}> {}

/** A lock that is held until its scope ends. */
export interface FileLock {
  /** Whether the locked file is still where it was: false once it, or its folder, was removed, moved or replaced. */
  readonly inPlace: () => boolean
  /** False on a file system without locks, where nobody is kept out. */
  readonly locked: boolean
}

const LOCK_EX = 2
const LOCK_NB = 4

const { EAGAIN, ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP } = os.constants.errno

interface Flock {
  /** Takes the lock without waiting, and gives 0 or an error number. */
  readonly tryLock: (descriptor: number) => number
}

let loaded: Flock | undefined

/** koffi is loaded when the first lock is taken, so that importing this module costs nothing. */
const flock = (): Flock => {
  if (loaded !== undefined) return loaded
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
  const call = koffi.load(null).func("int flock(int descriptor, int operation)")
  loaded = { tryLock: (descriptor) => (call(descriptor, LOCK_EX | LOCK_NB) === 0 ? 0 : koffi.errno()) }
  return loaded
}

/** What the file says of its holder. */
const holderOf = (file: number | string): Holder | undefined => {
  try {
    const { host, pid } = JSON.parse(fs.readFileSync(file, "utf8")) as Partial<Holder>
    return typeof pid === "number" && typeof host === "string" ? { pid, host } : undefined
  } catch {
    return undefined
  }
}

/** Whether a process of this machine is there; those of other users are. */
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/**
 * Whose a lock is, without touching it: by what its file says. A process of this machine that was killed holds none;
 * one of another machine cannot be asked.
 */
export const readHolder = (path: string): Effect.Effect<Holder | undefined> =>
  Effect.sync(() => {
    const holder = holderOf(path)
    return holder?.host === os.hostname() && !isAlive(holder.pid) ? undefined : holder
  })

const describe = (holder: Holder | undefined): string => {
  if (holder === undefined) return "another process"
  const elsewhere = holder.host === os.hostname() ? "" : ` on ${holder.host}`
  return `process ${holder.pid}${elsewhere}`
}

/** Whether a path leads to the file that is open. */
const isAt = (path: string, descriptor: number): boolean => {
  const there = fs.statSync(path, { throwIfNoEntry: false })
  const open = fs.fstatSync(descriptor)
  return there !== undefined && there.ino === open.ino && there.dev === open.dev
}

interface Taken {
  readonly descriptor: number
  /** False where the file system has no locks. */
  readonly locked: boolean
}

/** Opens and locks a file, which is made where there is none. Throws FileLocked, or what `node:fs` throws. */
const take = (path: string): Taken => {
  for (;;) {
    const descriptor = fs.openSync(path, "a+")
    const error = flock().tryLock(descriptor)
    if (error === EAGAIN) {
      const holder = holderOf(descriptor)
      fs.closeSync(descriptor)
      throw new FileLocked({ path, holder, message: `${path} is held by ${describe(holder)}` })
    }
    const unsupported = [ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP].includes(error)
    if (error !== 0 && !unsupported) {
      fs.closeSync(descriptor)
      throw new Error(`the lock is refused (error ${error})`)
    }
    // A holder removes its file in the end: a lock on a file that is no longer there excludes nobody.
    if (isAt(path, descriptor)) {
      fs.ftruncateSync(descriptor)
      const holder: Holder = { pid: process.pid, host: os.hostname() }
      fs.writeSync(descriptor, `${JSON.stringify(holder)}\n`)
      return { descriptor, locked: !unsupported }
    }
    fs.closeSync(descriptor)
  }
}

/** Gives the lock back, and removes the file where it is still the same. */
const give = (path: string, { descriptor }: Taken): void => {
  try {
    if (isAt(path, descriptor)) fs.rmSync(path)
  } finally {
    fs.closeSync(descriptor)
  }
}

/**
 * Locks a file until the scope ends; its folder has to be there. A file system without locks lets everybody go on.
 *
 * @errors FileLocked at once where the lock is held, by whichever process; StorageError where the file cannot be opened
 */
export const lockFile = Effect.fn("lockFile")(function* (
  path: string
): Effect.fn.Return<FileLock, FileLocked | StorageError, Scope.Scope> {
  const taken = yield* Effect.acquireRelease(
    Effect.try({
      try: () => take(path),
      catch: (cause) => (cause instanceof FileLocked ? cause : storageError("lock", path)(cause))
    }),
    (taken) => Effect.ignore(Effect.try(() => give(path, taken)))
  )
  return { inPlace: () => isAt(path, taken.descriptor), locked: taken.locked }
})
