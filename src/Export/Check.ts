/** Compares what was exported with the network that it was made of, on images. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { fileLogits } from "../Predict/Images.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { argMax, softmax } from "../Train/Evaluate/Measures.ts"
import { ExportError } from "./Errors.ts"
import type { ExportFormat } from "./Export.ts"
import type { InputForm } from "./Frozen.ts"
import { runtimeFor, type Said } from "./Runtime.ts"

/** How far an export is from the original on some images. */
export interface Comparison {
  readonly images: number
  readonly unreadable: number
  /** The largest differences of one number. */
  readonly logits: number
  readonly probabilities: number
  /** The largest logit, without its sign. */
  readonly largest: number
  /** Images for which both name the same class as the likeliest. */
  readonly sameClass: number
}

/** Beyond this part of the largest logit an export is another network. */
const MOST = 1e-3

/** Adds the comparison of some images. A NaN on either side is the largest difference. */
const add = (
  sum: Omit<Comparison, "unreadable">,
  ours: Float32Array,
  { logits, probabilities }: Said,
  classes: number
): Omit<Comparison, "unreadable"> => {
  let { images, largest, logits: far, probabilities: farProbability, sameClass } = sum
  const distance = (a: number, b: number): number => (Number.isNaN(a - b) ? Infinity : Math.abs(a - b))
  for (let at = 0; at < ours.length; at += classes) {
    const row = ours.subarray(at, at + classes)
    const expected = softmax(row, new Float64Array(classes))
    for (let k = 0; k < classes; k++) {
      largest = Math.max(largest, Math.abs(row[k]))
      far = Math.max(far, distance(row[k], logits[at + k]))
      farProbability = Math.max(farProbability, distance(expected[k], probabilities[at + k]))
    }
    if (argMax(row) === argMax(logits.subarray(at, at + classes))) sameClass++
    images++
  }
  return { images, largest, logits: far, probabilities: farProbability, sameClass }
}

/**
 * Runs an export in `out` beside the network, on image files.
 *
 * @errors ExportError where it cannot be run here, or gives other numbers
 */
export const checkExport = Effect.fn("checkExport")(function* (
  served: Served,
  format: ExportFormat,
  out: string,
  { files, input = "nhwc" }: { readonly files: ReadonlyArray<string>; readonly input?: InputForm | undefined }
) {
  const { classes } = served.network
  const runtime = yield* runtimeFor(served, format, out, input)
  // The network is shown the images as they are, and they are kept for the export.
  let shown = new Uint8Array()
  const keep = (pixels: Uint8Array): Uint8Array => {
    shown = pixels.slice()
    return pixels
  }
  const ask = yield* fileLogits(served, [keep])
  const nothing = { images: 0, largest: 0, logits: 0, probabilities: 0, sameClass: 0 }
  const result = yield* Stream.runFoldEffect(
    ask(files),
    () => ({ sum: nothing, unreadable: 0 }),
    ({ sum, unreadable }, { files: read, logits, unreadable: others }) =>
      Effect.gen(function* () {
        if (read.length === 0) return { sum, unreadable: unreadable + others.length }
        const said = yield* Effect.promise(() => runtime(shown, read.length))
        return { sum: add(sum, logits[0], said, classes), unreadable: unreadable + others.length }
      })
  )
  const comparison: Comparison = { ...result.sum, unreadable: result.unreadable }
  if (!(comparison.logits <= MOST * Math.max(1, comparison.largest))) {
    return yield* new ExportError({
      reason: "OtherNumbers",
      message: `the export gives other numbers than the network: logits are up to ${comparison.logits.toPrecision(2)} apart on ${comparison.images} images`
    })
  }
  return comparison
}, Effect.scoped)
