/** What a network says about each image of a split. */
import type { Split } from "../Data.ts"
import { labelsOf } from "../Train/Evaluate/Logits.ts"
import { argMax, softmax } from "../Train/Evaluate/Measures.ts"

export interface Prediction {
  /** Position in the split. */
  readonly position: number
  readonly label: number
  readonly predicted: number
  /** Of the predicted class. */
  readonly probability: number
}

/** The most likely class of every image, from logits [images,classes]. */
export const predictionsOf = (split: Split, logits: Float32Array): ReadonlyArray<Prediction> => {
  const classes = logits.length / split.indices.length
  const probabilities = new Float64Array(classes)
  return Array.from(labelsOf(split), (label, position) => {
    const row = logits.subarray(position * classes, (position + 1) * classes)
    const predicted = argMax(row)
    return { position, label, predicted, probability: softmax(row, probabilities)[predicted] }
  })
}

/** The wrong ones, the most confident first. */
export const mostConfidentlyWrong = (predictions: ReadonlyArray<Prediction>, most: number) =>
  predictions
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.probability - a.probability)
    .slice(0, most)

/** Some of the right ones, evenly over the split. */
export const someCorrect = (predictions: ReadonlyArray<Prediction>, most: number) => {
  const correct = predictions.filter(({ label, predicted }) => label === predicted)
  const chosen = Math.min(most, correct.length)
  return Array.from({ length: chosen }, (_, i) => correct[Math.floor(((i + 0.5) * correct.length) / chosen)])
}
