import { execFileSync } from "node:child_process"
import {
  promises,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { systemError } from "effect/PlatformError"
import { appendFile, readFile, readJson, readStart, writeFileAtomic } from "../../src/Platform/Files.ts"
import { temporary } from "../support/Runs.ts"

it.live("a file that is written takes away what killed processes left of it, and nothing else", () =>
  Effect.gen(function* () {
    const folder = yield* temporary
    const old = new Date(Date.now() - 3_600_000)
    const write = (name: string, at?: Date) => {
      writeFileSync(path.join(folder, name), "half")
      if (at !== undefined) utimesSync(path.join(folder, name), at, at)
    }
    // Of a killed process; of one that is writing; of another file; not of ours.
    write("cache.0badf00d.tmp", old)
    write("cache.12345678.tmp")
    write("cache.bin.0badf00d.tmp", old)
    write("cache.mine.tmp", old)
    yield* writeFileAtomic(path.join(folder, "cache"), "whole")
    assert.sameMembers(readdirSync(folder), [
      "cache",
      "cache.12345678.tmp",
      "cache.bin.0badf00d.tmp",
      "cache.mine.tmp"
    ])
  })
)

/** Node's file system, on which an operation with an open file fails. */
const failing = (operation: "sync" | "writeAll", code: string) => {
  const error = systemError({
    _tag: "Unknown",
    module: "FileSystem",
    method: operation,
    cause: Object.assign(new Error(code), { code })
  })
  const open = (files: FileSystem.FileSystem): FileSystem.FileSystem => ({
    ...files,
    open: (file, options) =>
      Effect.map(files.open(file, options), (handle) =>
        Object.create(handle, {
          [operation]: { value: operation === "sync" ? Effect.fail(error) : () => Effect.fail(error) }
        })
      )
  })
  return Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, open)).pipe(
    Layer.provide(NodeFileSystem.layer)
  )
}

it.live.each([
  ["writeAll", "ENOSPC", "Full", "the disk is full"],
  ["sync", "EDQUOT", "Full", "the disk quota is used up"],
  ["sync", "EIO", "Other", "EIO"]
] as const)("a file is whole where %s fails with %s", ([operation, code, reason, words]) =>
  Effect.gen(function* () {
    const folder = yield* temporary
    const file = path.join(folder, "file")
    yield* writeFileAtomic(file, "before")
    const error = yield* writeFileAtomic(file, "after").pipe(
      Effect.provide(failing(operation, code)),
      Effect.flip
    )
    assert.strictEqual(error.reason, reason)
    assert.strictEqual(error.message, `cannot write ${file}: ${words}`)
    assert.deepStrictEqual(readdirSync(folder), ["file"])
    assert.strictEqual(readFileSync(file, "utf8"), "before")
  })
)

it.live("a folder that cannot be written says its true reason, however deep the file", () =>
  Effect.gen(function* () {
    const folder = yield* temporary
    writeFileSync(path.join(folder, "file"), "")
    const error = yield* Effect.flip(appendFile(path.join(folder, "file", "deep", "er", "line"), "1"))
    assert.strictEqual(error.reason, "WrongPath")
    yield* appendFile(path.join(folder, "deep", "er", "line"), "1")
    yield* appendFile(path.join(folder, "deep", "er", "line"), "2")
    assert.strictEqual(readFileSync(path.join(folder, "deep", "er", "line"), "utf8"), "12")
  })
)

it.live("only regular files are read, of a size that they can have, through links too", () =>
  Effect.gen(function* () {
    const folder = yield* temporary
    const at = (name: string) => path.join(folder, name)
    execFileSync("mkfifo", [at("pipe")])
    symlinkSync(at("pipe"), at("link"))
    symlinkSync("/dev/zero", at("zeros"))
    writeFileSync(at("large"), "")
    truncateSync(at("large"), 2 ** 31)
    for (const [name, reason, words] of [
      ["pipe", "WrongPath", "it is a pipe, not a regular file"],
      ["link", "WrongPath", "it is a pipe, not a regular file"],
      ["zeros", "WrongPath", "it is a device, not a regular file"],
      [".", "WrongPath", "it is a folder"],
      ["large", "TooLarge", ""],
      ["none", "NotFound", "there is no such file or folder"],
      [
        "caf\ufffd",
        "NotFound",
        "there is no such file or folder (its name is not UTF-8, so that it cannot be opened: rename it)"
      ]
    ] as const) {
      for (const read of [readFile(at(name)), readStart(at(name), 4), readJson(at(name))]) {
        const error = yield* Effect.flip(read)
        assert.strictEqual(error.reason, reason)
        if (reason !== "TooLarge") assert.strictEqual(error.message, `cannot read ${at(name)}: ${words}`)
      }
    }
    truncateSync(at("large"), 10)
    const { message } = yield* Effect.flip(readFile(at("large"), 9))
    assert.strictEqual(
      message,
      `cannot read ${at("large")}: it has 10 bytes, more than the 9 that such a file can have`
    )
    assert.strictEqual((yield* readFile(at("large"), 10)).length, 10)
    writeFileSync(at("text"), "abcdef")
    assert.strictEqual((yield* readStart(at("text"), 4)).toString(), "abcd")
    assert.strictEqual((yield* readStart(at("text"), 99)).toString(), "abcdef")
  })
)

it.live("a pipe is written to, and not replaced", () =>
  Effect.gen(function* () {
    const pipe = path.join(yield* temporary, "pipe")
    execFileSync("mkfifo", [pipe])
    const reading = yield* Effect.forkChild(Effect.promise(() => promises.readFile(pipe, "utf8")))
    yield* writeFileAtomic(
      pipe,
      ["through ", "it"].map((part) => Buffer.from(part))
    )
    assert.strictEqual(yield* Fiber.join(reading), "through it")
    assert.isTrue(statSync(pipe).isFIFO())
  })
)
