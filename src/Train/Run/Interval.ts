/** 95 % confidence intervals: of a share (Wilson), and of the mean of a few measurements (Student's t). */

/** The standard normal distribution's quantile at 0.975. */
const Z = 1.959964

/**
 * 95 % confidence interval of a share, `correct` of `n`: Wilson's score interval (Wilson 1927), which stays within
 * [0, 1] and holds for shares near 1.
 */
export const wilsonInterval = (correct: number, n: number): readonly [number, number] => {
  const share = correct / n
  const centre = share + (Z * Z) / (2 * n)
  const half = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n))
  const scale = 1 + (Z * Z) / n
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)]
}

/** Student's t at 0.975 for 1 to 30 degrees of freedom. */
const T = [
  ...[12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216, 2.22814],
  ...[2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596],
  ...[2.07961, 2.07387, 2.06866, 2.0639, 2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227]
]

/** Beyond the table by the first terms of its expansion in 1/freedom (Cornish and Fisher), to 1e-4. */
const studentT = (freedom: number): number =>
  T[freedom - 1] ??
  Z + (Z ** 3 + Z) / (4 * freedom) + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom ** 2)

export interface MeanInterval {
  readonly mean: number
  /** The sample's standard deviation; null of a single value. */
  readonly deviation: number | null
  /** 95 % confidence interval of the mean, if values are about normal; null of a single value. */
  readonly interval: readonly [number, number] | null
}

/** Of at least one value. */
export const meanInterval = (values: ReadonlyArray<number>): MeanInterval => {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  if (n === 1) return { mean, deviation: null, interval: null }
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1))
  const half = (studentT(n - 1) * deviation) / Math.sqrt(n)
  return { mean, deviation, interval: [mean - half, mean + half] }
}
