/** Whether two classifiers that saw the same images differ by more than chance. */
import { binomials } from "./Binomial.ts"

/** Where two classifiers differ. */
export interface Discordant {
  /** Images that only the first classifies right. */
  readonly onlyFirst: number
  /** Images that only the second classifies right. */
  readonly onlySecond: number
}

export interface McNemar extends Discordant {
  /** Two-sided. */
  readonly p: number
}

/** `first` and `second` have a 1 for each image that is classified right and a 0 for each that is not. */
export const discordant = (first: Uint8Array, second: Uint8Array): Discordant => {
  let onlyFirst = 0
  let onlySecond = 0
  for (let i = 0; i < first.length; i++) {
    if (first[i] > second[i]) onlyFirst++
    if (first[i] < second[i]) onlySecond++
  }
  return { onlyFirst, onlySecond }
}

/**
 * McNemar's test (1947) with the exact binomial distribution: of classifiers that are equally good, each is as likely
 * as the other to be the one that is right where only one is. It is exact for any number of images, so that there is
 * no need of the approximation by χ².
 */
export const mcNemar = (first: Uint8Array, second: Uint8Array): McNemar => {
  const { onlyFirst, onlySecond } = discordant(first, second)
  const differing = onlyFirst + onlySecond
  const { probability } = binomials(differing)
  let tail = 0
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) tail += probability(k, differing, 0.5)
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * tail) }
}
