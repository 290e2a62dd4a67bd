/**
 * Temperature scaling: one number that makes confidence agree with accuracy and leaves every prediction as it is.
 * Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017, section 4.2.
 */
import { type Outputs, rowOf } from "../Combine.ts"

/** Without bounds there is no best temperature where all labels are right, or no better than chance. */
const LEAST = 0.01
const LARGEST = 100

const PRECISION = 1e-9

/** Probabilities of 0 count as the smallest positive number of their type. */
const SMALLEST = 2 ** -149

/** Logits that softmax turns into these probabilities. */
export const logProbabilities = ({ classes, images, values }: Outputs): Outputs => ({
  images,
  classes,
  values: values.map((value) => Math.log(Math.max(value, SMALLEST)))
})

/** Mean cross entropy (nats) of probabilities against labels. */
export const negativeLogLikelihood = (probabilities: Outputs, labels: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < probabilities.images; i++)
    sum -= Math.log(Math.max(probabilities.values[i * probabilities.classes + labels[i]], SMALLEST))
  return sum / probabilities.images
}

/** First and second derivative of the sum of cross entropies of softmax(βz) by β. */
const derivatives = (logits: Outputs, labels: ArrayLike<number>, beta: number) => {
  let first = 0
  let second = 0
  for (let i = 0; i < logits.images; i++) {
    const row = rowOf(logits, i)
    let largest = -Infinity
    for (const value of row) largest = Math.max(largest, value)
    let total = 0
    let sum = 0
    let squares = 0
    for (const value of row) {
      const below = value - largest
      const weight = Math.exp(beta * below)
      total += weight
      sum += weight * below
      squares += weight * below * below
    }
    const mean = sum / total
    first += mean - (row[labels[i]] - largest)
    second += squares / total - mean * mean
  }
  return { first, second }
}

/**
 * The temperature, from 0.01 to 100, by which logits are to be divided for the least cross entropy against the
 * labels. The cross entropy is convex in β = 1/T, so Newton's method inside a bracket finds the one minimum; where a
 * step does not halve the one before, the bracket is halved instead. Where nothing depends on the temperature it is 1.
 */
export const fitTemperature = (logits: Outputs, labels: ArrayLike<number>): number => {
  let low = 1 / LARGEST
  let high = 1 / LEAST
  let beta = 1
  let step = high - low
  while (high / low > 1 + PRECISION) {
    const { first, second } = derivatives(logits, labels, beta)
    if (first === 0) break
    if (first > 0) high = beta
    else low = beta
    const newton = beta - first / second
    const good = newton > low && newton < high && Math.abs(newton - beta) <= step / 2
    const next = good ? newton : Math.sqrt(low * high)
    step = Math.abs(next - beta)
    if (step <= PRECISION * beta) break
    beta = next
  }
  return 1 / beta
}
