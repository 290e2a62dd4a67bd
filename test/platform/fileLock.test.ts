import { spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { lockFile } from "../../src/Platform/FileLock.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-lock-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** A process that takes the lock on a file, says so, and keeps it until it is killed. */
const holding = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = `
        const koffi = require("koffi")
        const descriptor = require("fs").openSync(process.argv[1], "a+")
        const flock = koffi.load(null).func("int flock(int descriptor, int operation)")
        if (flock(descriptor, 6) !== 0) process.exit(1)
        require("fs").writeSync(descriptor, JSON.stringify({ pid: process.pid, host: require("os").hostname() }))
        console.log("locked")
        setInterval(() => {}, 1000)`
      const child = spawn(process.execPath, ["-e", script, file], { stdio: ["ignore", "pipe", "inherit"] })
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
      await Promise.race([new Promise((resolve) => child.stdout.once("data", resolve)), ended])
      return { child, ended }
    }),
    ({ child, ended }) =>
      Effect.promise(() => {
        child.kill("SIGKILL")
        return ended
      })
  )

describe("a file lock", () => {
  it.live("is held until its scope ends; the file names the holder and is gone afterwards", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporary, "lock")
      const scope = yield* Scope.make()
      const lock = yield* Scope.provide(lockFile(file), scope)
      assert.isTrue(lock.inPlace())
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), { pid: process.pid, host: hostname() })
      const error = yield* Effect.flip(Effect.scoped(lockFile(file)))
      assert.strictEqual(error._tag, "FileLocked")
      assert.include(error.message, `is held by process ${process.pid}`)
      assert.isTrue(existsSync(file))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(existsSync(file))
      yield* Effect.scoped(lockFile(file))
    })
  )

  it.live("of another process is refused with its number, and is free once that is killed", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporary, "lock")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { child } = yield* holding(file)
          const error = yield* Effect.flip(Effect.scoped(lockFile(file)))
          assert.strictEqual(error._tag, "FileLocked")
          if (error._tag !== "FileLocked") return
          assert.deepStrictEqual(error.holder, { pid: child.pid!, host: hostname() })
        })
      )
      // It was killed, so its file is still there.
      assert.isTrue(existsSync(file))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* lockFile(file)
          assert.strictEqual(JSON.parse(readFileSync(file, "utf8")).pid, process.pid)
        })
      )
    })
  )

  it.live("names nobody where the file does not say who holds it", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporary, "lock")
      yield* lockFile(file)
      writeFileSync(file, "rubbish")
      const error = yield* Effect.flip(Effect.scoped(lockFile(file)))
      assert.match(error.message, /is held by another process$/)
    })
  )

  it.live(
    "is no longer in place where its folder was moved, removed or made anew; a new file there is not its own",
    () =>
      Effect.gen(function* () {
        const root = yield* temporary
        const folder = path.join(root, "run")
        const file = path.join(folder, "lock")
        mkdirSync(folder)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const lock = yield* lockFile(file)
            renameSync(folder, path.join(root, "moved"))
            assert.isFalse(lock.inPlace())
            mkdirSync(folder)
            writeFileSync(file, "of somebody else")
            assert.isFalse(lock.inPlace())
          })
        )
        assert.strictEqual(readFileSync(file, "utf8"), "of somebody else")
      })
  )

  it.live("in a folder that is not there fails with the path", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporary, "none", "lock")
      const error = yield* Effect.flip(Effect.scoped(lockFile(file)))
      assert.strictEqual(error._tag, "StorageError")
      assert.include(error.message, file)
    })
  )
})
