import { readdirSync, utimesSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFileAtomic } from "../../src/Platform/Files.ts"
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
