/** Reads the files that are wanted of a tar archive, gzipped or not, and of no file more than it can have. */
import { createReadStream } from "node:fs"
import * as path from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import * as Effect from "effect/Effect"
import * as tar from "tar-stream"
import { KIND_BYTES, kindOf } from "../../Platform/FileKind.ts"
import { readStart } from "../../Platform/Files.ts"
import { DataError } from "../Types.ts"

/** Bytes that each wanted file has at most, by name. */
export type Limits = ReadonlyMap<string, number>

const GZIP = Buffer.of(0x1f, 0x8b)

/** An archive may hold as much again that is not wanted. */
const UNPACKED = 2

/** Passes on at most so many bytes: a gzip archive of a few can hold any number of zeros. */
const upTo = (most: number) =>
  async function* (chunks: AsyncIterable<Uint8Array>) {
    let total = 0
    for await (const chunk of chunks) {
      total += chunk.length
      if (total > most) throw new Error(`it unpacks to more than the ${most} bytes that it can have`)
      yield chunk
    }
  }

const contentsOf = async (entry: AsyncIterable<unknown>): Promise<Buffer> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of entry) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

/** The wanted files, wherever in the archive they lie. Rejects with an Error that says what is wrong with it. */
const collect = async (extract: tar.Extract, limits: Limits): Promise<Map<string, Buffer>> => {
  const files = new Map<string, Buffer>()
  const paths = new Map<string, string>()
  for await (const entry of extract) {
    const { name: full, size = 0, type } = entry.header
    const name = path.posix.basename(full)
    const most = limits.get(name)
    if (type !== "file" || most === undefined) {
      entry.resume()
      continue
    }
    const problem =
      size > most
        ? `its ${name} has ${size} bytes, more than the ${most} that it can have`
        : (paths.get(name) ?? full) !== full
          ? `it has two files named ${name}`
          : undefined
    if (problem !== undefined) {
      extract.destroy(new Error(problem))
      continue
    }
    // The same path again is a newer copy, which tar adds at the end.
    paths.set(name, full)
    files.set(name, await contentsOf(entry))
  }
  return files
}

const reasonOf = (cause: unknown): string => {
  const { code, message } = cause as NodeJS.ErrnoException
  if (/invalid tar header/i.test(message)) return "it is not a tar archive, or is damaged"
  if (/unexpected end/i.test(message)) return "it is cut off"
  return code?.startsWith("Z_") ? `it is damaged (${message})` : message
}

/** The wanted files of an archive, by name. */
export const unpack = Effect.fn("unpack")(function* (archive: string, limits: Limits) {
  const start = yield* readStart(archive, KIND_BYTES)
  const zipped = start.subarray(0, GZIP.length).equals(GZIP)
  const kind = kindOf(start)
  const damaged = (why: string, cause?: unknown) =>
    new DataError({ reason: "Damaged", message: `cannot unpack ${archive}: ${why}`, cause })
  if (!zipped && kind !== undefined && kind !== "a tar archive") return yield* damaged(`it is ${kind}`)
  const most = UNPACKED * Array.from(limits.values()).reduce((a, b) => a + b, 0)
  return yield* Effect.tryPromise({
    try: async (signal) => {
      const packed = createReadStream(archive)
      const extract = tar.extract()
      const [files] = await Promise.all([
        collect(extract, limits),
        zipped
          ? pipeline(packed, createGunzip(), upTo(most), extract, { signal })
          : pipeline(packed, upTo(most), extract, { signal })
      ])
      return files
    },
    catch: (cause) => damaged(reasonOf(cause), cause)
  })
})
