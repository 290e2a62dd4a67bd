/** The final numbers of a run, as a JSON file. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "../../Config/Decode.ts"
import { weightsNameOf } from "../../Config/Weights.ts"
import { readJson, StorageError, writeFileAtomic } from "../../Platform/Files.ts"
import { averages } from "../Averages/Averages.ts"

/** 95 % confidence interval of an accuracy, from the number of images alone. */
const interval = Schema.Tuple([Schema.Finite, Schema.Finite])

export const RunResult = Schema.Struct({
  dataset: Schema.String,
  split: Schema.Literals(["train", "validation", "test"]),
  /** Epochs that the measured weights were trained for. */
  epochs: Schema.Int,
  weights: weightsNameOf(averages),
  /** How these weights were chosen. */
  selection: Schema.String,
  images: Schema.Int,
  accuracy: Schema.Finite,
  interval,
  /** Mean cross entropy (nats). */
  loss: Schema.Finite,
  top5: Schema.Finite,
  /** Images by true class (row) and predicted class (column). */
  confusion: Schema.Array(Schema.Array(Schema.Int)),
  /** Of the mean logits over the experiment's `tta` of each image, where it has some. */
  overViews: Schema.optionalKey(
    Schema.Struct({ views: Schema.Int, accuracy: Schema.Finite, interval, loss: Schema.Finite })
  ),
  parameters: Schema.Int,
  /** Of one image. */
  multiplyAdds: Schema.Int,
  trainSeconds: Schema.Finite,
  seed: Schema.Int,
  command: Schema.String
})
export type RunResult = typeof RunResult.Type
export type OverViews = NonNullable<RunResult["overViews"]>

export const writeResult = (file: string, result: RunResult): Effect.Effect<void, StorageError> =>
  writeFileAtomic(file, `${JSON.stringify(result, null, 2)}\n`)

/** The result that a finished run has written. */
export const readResult = Effect.fn("readResult")(function* (file: string) {
  return yield* decodeStrictly(RunResult, yield* readJson(file)).pipe(
    Effect.mapError(
      ({ message }) => new StorageError({ reason: "Damaged", path: file, message: `${file}: ${message}` })
    )
  )
})
