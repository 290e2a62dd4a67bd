/**
 * Brings a library from wheels into its folder. Everything is made in a folder of this process's own beside it
 * and renamed into place when it is whole, so several setups at once, or a killed one, do no harm. Wheels that
 * are downloaded completely are kept until the library is in place.
 */
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { publisher } from "../../Events.ts"
import { LibraryError } from "../Errors.ts"
import { attempt } from "./Failure.ts"
import { makeFolder, syncFolder } from "./Folders.ts"
import { downloadWheel } from "./Pip.ts"
import { type Manifest, unpackWheel } from "./Unpack.ts"
import type { Wheel } from "./Wheels.ts"

/** Called with what is being done, for instance `unpacking tensorflow-cpu 2.21.0`, and bytes. */
type OnSetupProgress = (doing: string, done: number, total: number) => void

const MANIFEST = "manifest.json"

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** Whether a library's folder holds every file that was put there, in its full size. */
export const isComplete = (directory: string): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    try {
      const manifest: Manifest = JSON.parse(await fs.readFile(path.join(directory, MANIFEST), "utf8"))
      for (const [name, bytes] of Object.entries(manifest)) {
        if ((await fs.stat(path.join(directory, name))).size !== bytes) return false
      }
      return true
    } catch {
      return false
    }
  })

const keptWheel = (cache: string, { name, version, platform }: Wheel): string =>
  path.join(cache, `${name}-${version}-${platform}.whl`)

/** A workspace's name says whose it is: `.setup.<process>.<random>.<host>`. */
const workspaceName = () => `.setup.${process.pid}.${randomBytes(4).toString("hex")}.${os.hostname()}`

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Milliseconds after which a workspace is abandoned, whosever it is. */
const LONGEST_SETUP = 24 * 3600 * 1000

/** Removes workspaces of processes that were killed. */
const removeAbandoned = async (cache: string): Promise<void> => {
  for (const name of await fs.readdir(cache)) {
    const [, pid, host] = /^\.setup\.(\d+)\.[0-9a-f]+\.(.*)$/.exec(name) ?? []
    if (pid === undefined) continue
    const workspace = path.join(cache, name)
    const age = Date.now() - ((await fs.stat(workspace).catch(() => undefined))?.mtimeMs ?? 0)
    const atWork = host !== os.hostname() || isRunning(Number(pid))
    if (!atWork || age > LONGEST_SETUP) await fs.rm(workspace, { recursive: true, force: true })
  }
}

/** Fails when the disk has not the room for all that is still to come. */
const checkRoom = Effect.fnUntraced(function* (cache: string, wheels: ReadonlyArray<Wheel>) {
  const missing: Array<number> = []
  for (const wheel of wheels) {
    const size = yield* Effect.promise(() =>
      fs.stat(keptWheel(cache, wheel)).then(
        (stats) => stats.size,
        () => 0
      )
    )
    if (size !== wheel.bytes) missing.push(wheel.bytes)
  }
  // pip makes a copy of the wheel that it downloads.
  const needed =
    missing.reduce((sum, bytes) => sum + bytes, Math.max(0, ...missing)) +
    wheels.reduce((sum, { unpacked }) => sum + unpacked, 0)
  const { bavail, bsize } = yield* attempt("look at", cache, () => fs.statfs(cache))
  if (bavail * bsize < needed) {
    return yield* new LibraryError({
      reason: "Full",
      message: `libtensorflow needs ${gigabytes(needed)} in ${cache}, but ${gigabytes(bavail * bsize)} are free`
    })
  }
})

const sha256Of = async (file: fs.FileHandle, onBytes: (done: number) => void, signal: AbortSignal) => {
  const hash = createHash("sha256")
  const buffer = Buffer.alloc(1 << 20)
  for (let done = 0; ; ) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, buffer.length, done)
    if (bytesRead === 0) return hash.digest("hex")
    hash.update(buffer.subarray(0, bytesRead))
    done += bytesRead
    onBytes(done)
  }
}

/** Opens a wheel until the scope closes if it is there and has the right hash. It may be removed meanwhile. */
const openVerified = Effect.fnUntraced(function* (wheel: Wheel, file: string, onProgress: OnSetupProgress) {
  const handle = yield* Effect.acquireRelease(
    attempt("open", file, () =>
      fs.open(file).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT") throw cause
      })
    ),
    (opened) => Effect.promise(async () => opened?.close())
  )
  if (handle === undefined) return undefined
  const doing = `checking ${wheel.name} ${wheel.version}`
  const sha256 = yield* attempt("read", file, (signal) =>
    sha256Of(handle, (done) => onProgress(doing, Math.min(done, wheel.bytes), wheel.bytes), signal)
  )
  return sha256 === wheel.sha256 ? handle : undefined
})

/** The wheel kept from before, else a new one, which is kept. */
const obtain = Effect.fnUntraced(function* (
  wheel: Wheel,
  cache: string,
  workspace: string,
  onProgress: OnSetupProgress
) {
  const kept = keptWheel(cache, wheel)
  const before = yield* openVerified(wheel, kept, onProgress)
  if (before !== undefined) return before
  const { name, version } = wheel
  const file = yield* downloadWheel(wheel, workspace, (done, total) =>
    onProgress(`downloading ${name} ${version}`, done, total)
  )
  const fresh = yield* openVerified(wheel, file, onProgress)
  if (fresh === undefined) {
    return yield* new LibraryError({
      reason: "OtherFile",
      message: `pip brought another ${name} ${version} than the official one`
    })
  }
  yield* attempt("write", kept, async () => {
    await fs.rename(file, kept)
    await fs.rm(path.join(workspace, name), { recursive: true, force: true })
  })
  return fresh
})

/** Renames a whole library into place, unless another process has meanwhile; a damaged one is put aside. */
const putInPlace = Effect.fnUntraced(function* (library: string, directory: string, workspace: string) {
  if (yield* isComplete(directory)) return
  yield* attempt("write", directory, async () => {
    await fs.rename(directory, path.join(workspace, "damaged")).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "ENOENT") throw cause
    })
    await fs.rename(library, directory).catch((cause: NodeJS.ErrnoException) => {
      // Another setup was quicker by a moment, with the same files.
      if (cause.code !== "ENOTEMPTY" && cause.code !== "EEXIST") throw cause
    })
    await syncFolder(path.dirname(directory))
  })
})

/**
 * Makes sure that `directory` holds the wanted files of all the wheels; gives whether there was anything to do.
 * What was downloaded completely before an interruption or failure is not downloaded again.
 *
 * @errors LibraryError: no python3 or pip, no network, another file than expected, a full or unwritable disk
 */
export const install = Effect.fn("install")(function* (directory: string, wheels: ReadonlyArray<Wheel>) {
  const publish = yield* publisher
  const onProgress: OnSetupProgress = (doing, done, total) => publish({ _tag: "Setup", doing, done, total })
  if (yield* isComplete(directory)) return false
  const cache = path.dirname(directory)
  yield* attempt("create", cache, () => makeFolder(cache))
  yield* attempt("tidy", cache, () => removeAbandoned(cache))
  yield* checkRoom(cache, wheels)
  const workspace = path.join(cache, workspaceName())
  yield* Effect.acquireRelease(
    attempt("create", workspace, () => fs.mkdir(workspace)),
    () => Effect.promise(() => fs.rm(workspace, { recursive: true, force: true }).catch(() => {}))
  )
  const library = path.join(workspace, "library")
  const manifest: Record<string, number> = {}
  for (const wheel of wheels) {
    // Another setup that was started earlier may have ended meanwhile.
    if (yield* isComplete(directory)) return true
    const doing = `unpacking ${wheel.name} ${wheel.version}`
    const unpacking = Effect.gen(function* () {
      const opened = yield* obtain(wheel, cache, workspace, onProgress)
      return yield* attempt("unpack", `${wheel.name} into ${library}`, (signal) =>
        unpackWheel(opened, library, (done) => onProgress(doing, done, wheel.unpacked), signal)
      )
    })
    Object.assign(manifest, yield* Effect.scoped(unpacking))
  }
  yield* attempt("write", library, async () => {
    await fs.writeFile(path.join(library, MANIFEST), JSON.stringify(manifest, null, 2), { flush: true })
    await syncFolder(library)
  })
  yield* putInPlace(library, directory, workspace)
  yield* attempt("tidy", cache, async () => {
    for (const wheel of wheels) await fs.rm(keptWheel(cache, wheel), { force: true })
  })
  return true
}, Effect.scoped)
