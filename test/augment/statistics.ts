/** Goodness of fit, for draws at fixed seeds. */
import { assert } from "@effect/vitest"

/** A standard normal number is above this once in ten thousand draws. */
const RARE = 3.719

/** Fails where counts differ more from the expected ones than they do once in ten thousand times (chi-squared). */
export const assertFits = (
  counts: ReadonlyArray<number>,
  probabilities: ReadonlyArray<number>,
  what = "counts"
): void => {
  const total = counts.reduce((a, b) => a + b, 0)
  assert.strictEqual(counts.length, probabilities.length)
  assert.closeTo(
    probabilities.reduce((a, b) => a + b, 0),
    1,
    1e-9
  )
  let distance = 0
  probabilities.forEach((probability, i) => {
    assert.isAtLeast(total * probability, 5, "too few draws for a chi-squared test")
    distance += (counts[i] - total * probability) ** 2 / (total * probability)
  })
  // Wilson and Hilferty's normal approximation.
  const freedom = counts.length - 1
  const spread = 2 / (9 * freedom)
  const normal = (Math.cbrt(distance / freedom) - (1 - spread)) / Math.sqrt(spread)
  assert.isBelow(normal, RARE, `${what}: ${counts.join(" ")}`)
}

export const assertUniform = (counts: ReadonlyArray<number>, what?: string): void =>
  assertFits(counts, new Array<number>(counts.length).fill(1 / counts.length), what)

/** How often each of 0 … size − 1 comes. */
export const countOf = (values: Iterable<number>, size: number): Array<number> => {
  const counts = new Array<number>(size).fill(0)
  for (const value of values) counts[value]++
  return counts
}

/** Logarithm of the gamma function, by Stirling's series after shifting the argument up. */
const logGamma = (x: number): number => {
  let shift = 0
  let z = x
  for (; z < 10; z++) shift += Math.log(z)
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5)
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift
}

/** Distribution function of Beta(a, a): the power series of the incomplete beta function. */
export const betaDistribution = (a: number, x: number): number => {
  if (x > 0.5) return 1 - betaDistribution(a, 1 - x)
  let coefficient = 1
  let sum = 1 / a
  for (let n = 1; n < 200; n++) {
    coefficient *= ((n - a) / n) * x
    sum += coefficient / (a + n)
  }
  return x ** a * sum * Math.exp(logGamma(2 * a) - 2 * logGamma(a))
}
