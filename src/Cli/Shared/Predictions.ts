/** What the commands that classify images have in common: their files and their output, a line of JSON an image. */
import * as Console from "effect/Console"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { oneLine, printable } from "../../Platform/Text.ts"
import type { Prediction, Unreadable } from "../../Predict.ts"

export const topFlag = Flag.Int("top").pipe(
  Flag.withDescription("Give the probabilities of this many classes only, the most likely ones"),
  Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  Flag.optional
)

/** The image files that paths stand for; at least one. */
export const imageFiles = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const { filesOf, PredictError } = yield* Effect.promise(() => import("../../Predict.ts"))
  const files = yield* filesOf(paths)
  if (files.length > 0) return files
  return yield* new PredictError({
    reason: "NoImages",
    message: "there are no images to predict: give files, or folders with images that can be decoded"
  })
})

export const fullFlag = Flag.Boolean("full").pipe(
  Flag.withDescription("Give probabilities with all their digits, in place of four"),
  Flag.withDefault(false)
)

/** How predictions are written: of how many classes, and whether with all digits. */
export interface Shown {
  readonly top: Option.Option<number>
  readonly full: boolean
}

/** Significant digits of a probability: more are not worth reading. */
const DIGITS = 4

/** An image's line: a list, likeliest first, since JavaScript puts keys such as "10" of an object into their own order. */
export const lineOf = (
  { file, probabilities }: Prediction,
  classes: ReadonlyArray<string>,
  { full, top }: Shown
): string => {
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a])
  const shown = order.slice(0, Option.getOrUndefined(top))
  const rounded = (value: number): number => (full ? value : Number(value.toPrecision(DIGITS)))
  // What JSON leaves as it is of control characters is escaped as it escapes others.
  return printable(
    JSON.stringify({
      file,
      class: classes[order[0]],
      probabilities: shown.map((k) => ({ class: classes[k], probability: rounded(probabilities[k]) }))
    })
  )
}

interface Predictions {
  readonly predictions: ReadonlyArray<Prediction>
  readonly unreadable: ReadonlyArray<Unreadable>
}

/** Predictions go to the output, and files that could not be read to that for errors. */
export const printPredictions = Effect.fnUntraced(function* (
  { predictions, unreadable }: Predictions,
  classes: ReadonlyArray<string>,
  shown: Shown
) {
  const lines = predictions.map((prediction) => lineOf(prediction, classes, shown))
  if (lines.length > 0) yield* Console.log(lines.join("\n"))
  for (const { file, reason } of unreadable) {
    yield* Console.error(`shakedrop: cannot read the image ${oneLine(`${file}: ${reason}`)}`)
  }
})

/** Fails where files could not be read, when the others are done. */
export const checkAllRead = Effect.fnUntraced(function* (unreadable: number, files: number) {
  const { PredictError } = yield* Effect.promise(() => import("../../Predict.ts"))
  if (unreadable === 0) return
  return yield* new PredictError({
    reason: "UnreadableImages",
    message: `${unreadable} of ${files} images could not be read${unreadable < files ? "; the others were predicted" : ""}`
  })
})
