/** How fast what a run saves comes to the disk. */
import * as path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { remove, writeFileAtomic } from "../../Platform/Files.ts"

const CHUNK = 1 << 20

/** What is written at most, in chunks, and for how many milliseconds. */
const CHUNKS = 32
const LONGEST = 500

/** Megabytes a second that are written to a folder and flushed; a file of at most 32 MB is there meanwhile. */
export const diskSpeed = Effect.fnUntraced(function* (folder: string) {
  const clock = yield* Clock.Clock
  const file = path.join(folder, `.shakedrop-speed.${process.pid}`)
  const begun = clock.currentTimeMillisUnsafe()
  let written = 0
  const chunks = function* () {
    const chunk = new Uint8Array(CHUNK).fill(85)
    while (written < CHUNKS && clock.currentTimeMillisUnsafe() - begun < LONGEST) {
      written++
      yield chunk
    }
  }
  yield* Effect.ensuring(writeFileAtomic(file, chunks()), Effect.ignore(remove(file)))
  return (written * CHUNK) / 1e6 / (Math.max(1, clock.currentTimeMillisUnsafe() - begun) / 1000)
})
