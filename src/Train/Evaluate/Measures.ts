/** From logits to the numbers that are reported. */

export interface Measures {
  readonly images: number
  readonly correct: number
  /** Share of images whose most likely class is theirs. */
  readonly accuracy: number
  /** Mean cross entropy (nats). */
  readonly loss: number
  /** Share of images whose class is among the five most likely. */
  readonly top5: number
  /** Images by true class (row) and predicted class (column). */
  readonly confusion: ReadonlyArray<ReadonlyArray<number>>
}

/** Probabilities of one row of logits, written to `out`. */
export const softmax = (logits: Float32Array, out: Float64Array): Float64Array => {
  let largest = -Infinity
  for (const value of logits) largest = Math.max(largest, value)
  let sum = 0
  for (let k = 0; k < logits.length; k++) sum += out[k] = Math.exp(logits[k] - largest)
  for (let k = 0; k < logits.length; k++) out[k] /= sum
  return out
}

/** Index of the largest value; of equal ones the first. */
export const argMax = (values: ArrayLike<number>): number => {
  let best = 0
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k
  return best
}

/** Measures rows of logits [N,classes] against N labels. */
export const measure = (logits: Float32Array, labels: ArrayLike<number>, classes: number): Measures => {
  const images = labels.length
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  const probabilities = new Float64Array(classes)
  let correct = 0
  let among5 = 0
  let loss = 0
  for (let i = 0; i < images; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes)
    const label = labels[i]
    const predicted = argMax(row)
    confusion[label][predicted]++
    if (predicted === label) correct++
    let above = 0
    for (let k = 0; k < classes; k++) if (row[k] > row[label] || (row[k] === row[label] && k < label)) above++
    if (above < 5) among5++
    loss -= Math.log(Math.max(softmax(row, probabilities)[label], Number.MIN_VALUE))
  }
  return {
    images,
    correct,
    accuracy: correct / images,
    loss: loss / images,
    top5: among5 / images,
    confusion
  }
}
