/**
 * Intervals from images drawn again with replacement, by the percentile method: Efron, Tibshirani, "An introduction to
 * the bootstrap", 1993, section 13.3. All that matters of an image is whether it is classified right, so the numbers
 * of right ones in a resample are drawn at once, from the distribution that drawing image by image would give them.
 */
import { draws } from "../../Random.ts"
import { binomials } from "./Binomial.ts"
import { discordant } from "./McNemar.ts"

export type Interval = readonly [low: number, high: number]

const RESAMPLES = 10_000

/** The 2.5 % and 97.5 % quantiles, between neighbouring values where they fall there. */
const percentiles = (values: Float64Array): Interval => {
  const ascending = values.toSorted()
  const quantile = (share: number): number => {
    const position = share * (ascending.length - 1)
    const index = Math.floor(position)
    const next = ascending[Math.min(index + 1, ascending.length - 1)]
    return ascending[index] + (position - index) * (next - ascending[index])
  }
  return [quantile(0.025), quantile(0.975)]
}

/**
 * 95 % interval of an accuracy. `correct` has a 1 for each image that is classified right and a 0 for each that is
 * not.
 */
export const accuracyInterval = (correct: Uint8Array, seed: number): Interval => {
  const images = correct.length
  const share = correct.reduce((sum, value) => sum + value, 0) / images
  const random = draws(seed, "bootstrap accuracy")
  const { draw } = binomials(images)
  return percentiles(Float64Array.from({ length: RESAMPLES }, () => draw(images, share, random) / images))
}

/** 95 % interval of the accuracy of the first minus that of the second, for the same images. */
export const differenceInterval = (first: Uint8Array, second: Uint8Array, seed: number): Interval => {
  const images = first.length
  const { onlyFirst, onlySecond } = discordant(first, second)
  const random = draws(seed, "bootstrap difference")
  const { draw } = binomials(images)
  // Of the others, in a share of which only the second is right.
  const rest = onlySecond / (images - onlyFirst)
  return percentiles(
    Float64Array.from({ length: RESAMPLES }, () => {
      const won = draw(images, onlyFirst / images, random)
      return (won - draw(images - won, rest, random)) / images
    })
  )
}
