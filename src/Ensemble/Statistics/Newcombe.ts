/** How far the accuracies of two classifiers that saw the same images may be apart. */
import { wilsonInterval } from "../../Train/Run/Interval.ts"
import { discordant } from "./McNemar.ts"

export type Interval = readonly [low: number, high: number]

const sum = (correct: Uint8Array): number => correct.reduce((sum, right) => sum + right, 0)

/**
 * 95 % interval of the accuracy of the first minus that of the second, for the same images: Newcombe's method 10
 * ("Improved confidence intervals for the difference between binomial proportions based on paired data", Statistics in
 * Medicine 17, 1998). It joins the Wilson intervals of the two accuracies by their correlation, so that it holds for few
 * images and for accuracies of 100 %, where resampling finds no difference at all.
 */
export const differenceInterval = (first: Uint8Array, second: Uint8Array): Interval => {
  const n = first.length
  const [a, b] = [sum(first), sum(second)]
  const { onlyFirst, onlySecond } = discordant(first, second)
  const both = a - onlyFirst
  const neither = n - both - onlyFirst - onlySecond
  const apart = both * neither - onlyFirst * onlySecond
  // φ with a correction for continuity, and 0 where one is right about all images or none.
  const corrected = apart > 0 ? Math.max(0, apart - n / 2) : apart
  const spread = a * (n - a) * b * (n - b)
  const phi = spread === 0 ? 0 : corrected / Math.sqrt(spread)
  const [ofFirst, ofSecond] = [a / n, b / n]
  const [low1, high1] = wilsonInterval(a, n)
  const [low2, high2] = wilsonInterval(b, n)
  const joined = (x: number, y: number): number => Math.sqrt(x ** 2 - 2 * phi * x * y + y ** 2)
  const difference = (a - b) / n
  return [
    difference - joined(ofFirst - low1, high2 - ofSecond),
    difference + joined(ofSecond - low2, high1 - ofFirst)
  ]
}
