/** The curves of a run as a file of JSON lines, one an epoch. */
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../Config/Decode.ts"
import { EpochMetrics } from "../../Events.ts"
import { appendFile, readFile, StorageError, writeFileAtomic } from "../../Platform/Files.ts"

/** Adds an epoch's line; when it returns, the line is on the disk. */
export const appendMetrics = (file: string, metrics: EpochMetrics): Effect.Effect<void, StorageError> =>
  appendFile(file, `${JSON.stringify(metrics)}\n`)

/** The file's text; a run that has not finished an epoch has none. */
const readText = (file: string): Effect.Effect<string, StorageError> =>
  readFile(file).pipe(
    Effect.map((bytes) => bytes.toString("utf8")),
    Effect.catchIf(
      ({ reason }) => reason === "NotFound",
      () => Effect.succeed("")
    )
  )

const decodeLine = (file: string, line: string, number: number): Effect.Effect<EpochMetrics, StorageError> =>
  Effect.try({ try: (): unknown => JSON.parse(line), catch: () => ({ message: "it is not JSON" }) }).pipe(
    Effect.flatMap((json) => decodeStrictly(EpochMetrics, json)),
    Effect.mapError(
      ({ message }) =>
        new StorageError({ reason: "Damaged", path: file, message: `${file}, line ${number}: ${message}` })
    )
  )

/**
 * The epochs of a run, in their order. A last line without its end is left out: the process was killed while it
 * wrote it.
 */
export const readMetrics = Effect.fn("readMetrics")(function* (file: string) {
  const lines = (yield* readText(file)).split("\n").slice(0, -1)
  return yield* Effect.forEach(lines, (line, i) => decodeLine(file, line, i + 1))
})

/**
 * Keeps the first `epochs`: a run that was killed between an epoch's line and its checkpoint does the epoch again. What
 * is kept is kept to the byte.
 */
export const truncateMetrics = Effect.fn("truncateMetrics")(function* (file: string, epochs: number) {
  const text = yield* readText(file)
  const kept = text
    .split("\n")
    .slice(0, (yield* readMetrics(file)).filter(({ epoch }) => epoch <= epochs).length)
    .map((line) => `${line}\n`)
    .join("")
  if (kept !== text) yield* writeFileAtomic(file, kept)
})
