/** Whether confidence agrees with accuracy. */
import { argMax } from "../../Train/Evaluate/Measures.ts"
import { type Outputs, rowOf } from "../Combine.ts"
import { negativeLogLikelihood } from "../Search/Temperature.ts"

/** The images whose confidence, the largest of their probabilities, is in (from, to]. */
export interface ConfidenceBin {
  readonly from: number
  readonly to: number
  readonly images: number
  /** Means over these images; null where there are none. */
  readonly confidence: number | null
  readonly accuracy: number | null
}

export interface Calibration {
  /** Expected calibration error: the mean distance of accuracy and confidence over the bins, weighted by images. */
  readonly ece: number
  /** Brier score: the mean squared distance of the probabilities from 1 for the label and 0 for the rest, in [0, 2]. */
  readonly brier: number
  /** Mean cross entropy (nats). */
  readonly loss: number
  /** Of a reliability diagram, in their order. */
  readonly bins: ReadonlyArray<ConfidenceBin>
}

const BINS = 15

/**
 * Calibration of probabilities, with 15 bins of the same width: Guo, Pleiss, Sun, Weinberger, "On calibration of modern
 * neural networks", ICML 2017, equation 5.
 */
export const calibrationOf = (probabilities: Outputs, labels: ArrayLike<number>): Calibration => {
  const { images } = probabilities
  const sums = Array.from({ length: BINS }, () => ({ images: 0, confidence: 0, correct: 0 }))
  let squares = 0
  for (let i = 0; i < images; i++) {
    const row = rowOf(probabilities, i)
    const predicted = argMax(row)
    const bin = sums[Math.min(BINS - 1, Math.max(0, Math.ceil(row[predicted] * BINS) - 1))]
    bin.images++
    bin.confidence += row[predicted]
    if (predicted === labels[i]) bin.correct++
    for (let k = 0; k < row.length; k++) squares += (row[k] - (k === labels[i] ? 1 : 0)) ** 2
  }
  const distance = sums.reduce((sum, { confidence, correct }) => sum + Math.abs(correct - confidence), 0)
  return {
    ece: distance / images,
    brier: squares / images,
    loss: negativeLogLikelihood(probabilities, labels),
    bins: sums.map(({ confidence, correct, images }, bin) => ({
      from: bin / BINS,
      to: (bin + 1) / BINS,
      images,
      confidence: images === 0 ? null : confidence / images,
      accuracy: images === 0 ? null : correct / images
    }))
  }
}
