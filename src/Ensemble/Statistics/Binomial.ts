/** The binomial distribution: its probabilities, and draws from it. */
import type { Draws } from "../../Random.ts"

export interface Binomials {
  /** The probability of k successes in n ≤ most trials with a chance of p each. */
  readonly probability: (k: number, n: number, p: number) => number
  /** The number of successes in n ≤ most trials. */
  readonly draw: (n: number, p: number, random: Draws) => number
}

/** Binomial distributions of at most so many trials. */
export const binomials = (most: number): Binomials => {
  const logFactorial = new Float64Array(most + 1)
  for (let k = 2; k <= most; k++) logFactorial[k] = logFactorial[k - 1] + Math.log(k)

  const probability = (k: number, n: number, p: number): number => {
    if (p <= 0) return k === 0 ? 1 : 0
    if (p >= 1) return k === n ? 1 : 0
    const ways = logFactorial[n] - logFactorial[k] - logFactorial[n - k]
    return Math.exp(ways + k * Math.log(p) + (n - k) * Math.log1p(-p))
  }

  /**
   * By inversion from the mode outwards, up and down in turn, so that a draw takes some standard deviations of steps
   * and no probability on the way is too small for a number.
   */
  const draw = (n: number, p: number, random: Draws): number => {
    if (n === 0 || p <= 0) return 0
    if (p >= 1) return n
    const odds = p / (1 - p)
    let left = random.uniform()
    let low = Math.min(n, Math.floor((n + 1) * p))
    let high = low
    let below = probability(low, n, p)
    let above = below
    left -= below
    while (left >= 0) {
      const before = left
      if (low > 0) {
        below *= low / ((n - low + 1) * odds)
        low--
        left -= below
        if (left < 0) return low
      }
      if (high < n) {
        above *= ((n - high) * odds) / (high + 1)
        high++
        left -= above
        if (left < 0) return high
      }
      // The rest is what rounding left of a probability of 1.
      if (left === before) break
    }
    return Math.min(n, Math.floor((n + 1) * p))
  }
  return { probability, draw }
}
