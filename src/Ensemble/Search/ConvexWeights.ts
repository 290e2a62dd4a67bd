/** The weights of an ensemble's members with the least cross entropy, which is convex in them. */
import { type Outputs, weightedMean } from "../Combine.ts"
import { type FoundWeights, reached } from "./FoundWeights.ts"

/** The loss is at most this far (nats) above the least possible one. */
const TOLERANCE = 1e-6

/** Many times what was seen to be needed, so that rounding cannot keep the search going. */
const ITERATIONS = 1000

/** A label's probability counts as no less than this. */
const SMALLEST = 1e-30

const sumOf = (values: Iterable<number>): number => {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/** Σ ab, of as many as `a` has. */
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** x with matrix·x = vector, for a symmetric positive definite matrix, by its Cholesky factor L·Lᵀ. */
const solve = (matrix: ReadonlyArray<ReadonlyArray<number>>, vector: ReadonlyArray<number>) => {
  const lower: Array<Array<number>> = []
  const x: Array<number> = []
  for (const [i, row] of matrix.entries()) {
    const own: Array<number> = []
    for (let j = 0; j < i; j++) own.push((row[j] - dot(own, lower[j])) / lower[j][j])
    const pivot = Math.sqrt(row[i] - dot(own, own))
    x.push((vector[i] - dot(own, x)) / pivot)
    lower.push([...own, pivot])
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i] -= lower[j][i] * x[j]
    x[i] /= lower[i][i]
  }
  return x
}

/**
 * The weights with which the mean of the members' probabilities, the rule `MeanProbabilities`, has the least cross
 * entropy. They are the weights w of a mixture with fixed components, and the minimum over all w ≥ 0 of
 *
 *   −mean log(Σ w p) + Σ w,
 *
 * whose weights have a sum of 1 of themselves. A barrier −μ Σ log w keeps them positive while Newton's method, in
 * steps relative to each weight, goes to the minimum; μ falls with what is left. As the loss is convex, its largest
 * slope tells how far it is above its minimum.
 *
 * The problem is that of Kim, Carbonetto, Stephens, Anitescu, "A fast algorithm for maximum likelihood estimation of
 * mixture proportions using sequential quadratic programming", 2020; the method is in Boyd, Vandenberghe, "Convex
 * optimization", 2004, chapters 9 and 11.
 */
export const convexWeights = (
  probabilities: ReadonlyArray<Outputs>,
  labels: ArrayLike<number>
): FoundWeights => {
  const [{ classes, images }] = probabilities
  const ofLabels = probabilities.map(({ values }) =>
    Float64Array.from({ length: images }, (_, i) => Math.max(values[i * classes + labels[i]], SMALLEST))
  )
  const mixtureOf = (weights: ReadonlyArray<number>) =>
    Float64Array.from({ length: images }, (_, i) =>
      weights.reduce((sum, weight, m) => sum + weight * ofLabels[m][i], 0)
    )
  let weights = probabilities.map(() => 1 / probabilities.length)
  let barrier = Number.POSITIVE_INFINITY
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const mixture = mixtureOf(weights)
    // Of each image to each member: what the member gives of the mixture, as in expectation maximisation.
    const shares = weights.map((weight, m) => ofLabels[m].map((p, i) => (weight * p) / mixture[i]))
    const means = shares.map((share) => sumOf(share) / images)
    const above = sumOf(weights) * Math.max(...means.map((mean, m) => mean / weights[m])) - 1
    if (above <= TOLERANCE) break
    barrier = Math.min(barrier, above / (10 * weights.length))
    const descent = means.map((mean, m) => mean + barrier - weights[m])
    const curvature = shares.map((a, m) => shares.map((b, n) => dot(a, b) / images + (m === n ? barrier : 0)))
    const step = solve(curvature, descent)
    const objective = (at: ReadonlyArray<number>) =>
      sumOf(at) - sumOf(mixtureOf(at).map(Math.log)) / images - barrier * sumOf(at.map(Math.log))
    const before = objective(weights)
    const stepped = (length: number) => weights.map((weight, m) => weight * (1 + length * step[m]))
    let length = Math.min(1, 0.99 / Math.max(0, ...step.map((relative) => -relative)))
    // Not one that is too long to lead downhill: Armijo's rule.
    while (
      objective(stepped(length)) > before - (length * dot(descent, step)) / 10 &&
      length > Number.EPSILON
    )
      length /= 2
    weights = stepped(length)
  }
  const whole = sumOf(weights)
  weights = weights.map((weight) => weight / whole)
  return { weights, ...reached(weightedMean(probabilities, weights), labels) }
}
