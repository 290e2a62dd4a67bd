/** Whether two classifiers that saw the same images differ by more than chance. */

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

/** Logarithms of the probabilities of 0, 1, … heads in so many throws of a fair coin. */
const logHeads = (throws: number): Float64Array => {
  const result = new Float64Array(throws + 1)
  result[0] = throws * Math.log(0.5)
  for (let k = 1; k <= throws; k++) result[k] = result[k - 1] + Math.log((throws - k + 1) / k)
  return result
}

/**
 * McNemar's test (1947) with the exact binomial distribution: of classifiers that are equally good, each is as likely
 * as the other to be the one that is right where only one is. It is exact for any number of images, so that there is
 * no need of the approximation by χ².
 */
export const mcNemar = (first: Uint8Array, second: Uint8Array): McNemar => {
  const { onlyFirst, onlySecond } = discordant(first, second)
  const differing = onlyFirst + onlySecond
  const logProbability = logHeads(differing)
  let tail = 0
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) tail += Math.exp(logProbability[k])
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * tail) }
}
