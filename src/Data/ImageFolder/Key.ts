/**
 * What decoded images depend on, as one hash: what the files hold, the size asked for, and the decoder. Names, sizes and
 * times alone do not tell data sets apart: archives, builds and copies give files the times that they want.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { sha256 } from "../../Platform/Hash.ts"
import type { FoundImage, FoundImages } from "./Scan.ts"

/** Raised whenever other pixels come out of the same files, so that older caches are left alone. */
const VERSION = 2

/** Bytes at the start of a file, and at its end, that are looked at. */
const SAMPLE = 4096

/** Images looked at before anything else has a turn. */
const GROUP = 1024

/**
 * A file's size, inode and times, and then the bytes of its start and its end: the whole of a small one. Of the times
 * only the system sets that of the last change (ctime). Nothing but a regular file is opened; decoding will tell of others.
 */
function* stateOf(file: string, sample: Uint8Array): Generator<string | Uint8Array> {
  const stats = fs.statSync(file, { throwIfNoEntry: false, bigint: true })
  if (!stats?.isFile()) return
  yield ` ${stats.size} ${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs} `
  const size = Number(stats.size)
  const handle = fs.openSync(file, "r")
  try {
    const read = fs.readSync(handle, sample, 0, Math.min(size, 2 * SAMPLE), 0)
    if (size > 2 * SAMPLE) fs.readSync(handle, sample, SAMPLE, SAMPLE, size - SAMPLE)
    yield sample.subarray(0, read)
  } finally {
    fs.closeSync(handle)
  }
}

function* statesOf(root: string, images: ReadonlyArray<FoundImage>): Generator<string | Uint8Array> {
  const sample = new Uint8Array(2 * SAMPLE)
  for (const image of images) {
    yield JSON.stringify(image.path)
    try {
      yield* stateOf(path.join(root, image.path), sample)
    } catch (cause) {
      yield String(cause)
    }
  }
}

/** What the decoded images of a folder depend on, as a SHA-256 (hex). */
export const keyOf = Effect.fn("keyOf")(function* (
  root: string,
  { classes, ...splits }: FoundImages,
  size: readonly [height: number, width: number],
  decoder: unknown
) {
  const parts = [JSON.stringify([VERSION, size, decoder, classes])]
  for (const images of [splits.train, splits.validation ?? [], splits.test ?? []]) {
    parts.push(`\n${images.length}\n`)
    for (let at = 0; at < images.length; at += GROUP) {
      yield* Effect.yieldNow
      parts.push(sha256(statesOf(root, images.slice(at, at + GROUP))))
    }
  }
  return sha256(parts)
})
