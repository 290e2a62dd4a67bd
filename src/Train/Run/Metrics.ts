/** The curves of a run as a file of JSON lines, one an epoch. */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "../../Config/Decode.ts"
import { withDefault } from "../../Config/Fields.ts"
import { readFile, StorageError, storageError, syncDirectory, writeFileAtomic } from "../../Platform/Files.ts"

const Measured = Schema.NullOr(Schema.Finite)

export const EpochMetrics = Schema.Struct({
  /** Epochs and steps done since the start. */
  epoch: Schema.Int,
  step: Schema.Int,
  /** Learning rate of the epoch's last step. */
  lr: Schema.Finite,
  /** Means over the epoch's augmented batches, while the weights changed. */
  trainLoss: Schema.Finite,
  trainAccuracy: Schema.Finite,
  /** On the validation split with the raw weights; null where the epoch was not evaluated. */
  valLoss: Measured,
  valAccuracy: Measured,
  /** On the validation split with the averaged weights; null where there are none. */
  emaAccuracy: Measured,
  /** On the validation split with the mean of the weights (SWA); null where there is none. */
  swaAccuracy: Measured.pipe(withDefault(null)),
  imagesPerSecond: Schema.Finite,
  /** Of training, evaluation included. */
  seconds: Schema.Finite,
  /** Share of the training time that went into waiting for batches. */
  waitShare: Schema.Finite
})
export type EpochMetrics = typeof EpochMetrics.Type

/** Adds an epoch's line; when it returns, the line is on the disk. */
export const appendMetrics = (file: string, metrics: EpochMetrics): Effect.Effect<void, StorageError> =>
  Effect.tryPromise({
    try: async () => {
      const handle = await fs.open(file, "a")
      try {
        await handle.writeFile(`${JSON.stringify(metrics)}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await syncDirectory(path.dirname(file))
    },
    catch: storageError("write", file)
  })

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
