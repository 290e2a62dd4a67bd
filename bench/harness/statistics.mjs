/** Order statistics, and fits of powers. */

/** The value that a share of the values lies below, interpolated between neighbours. */
export const quantile = (values, share) => {
  const ascending = values.toSorted((a, b) => a - b)
  const at = share * (ascending.length - 1)
  const below = Math.floor(at)
  return ascending[below] + (at - below) * (ascending[Math.ceil(at)] - ascending[below])
}

export const median = (values) => quantile(values, 0.5)

/** Median, quartiles, least and greatest. */
export const spread = (values) => ({
  median: median(values),
  quartiles: [quantile(values, 0.25), quantile(values, 0.75)],
  range: [Math.min(...values), Math.max(...values)]
})

/**
 * The exponent p and the factor c of y ≈ c·xᵖ by least squares of the logarithms, and the share of their variance
 * that it explains (R²).
 */
export const fitPower = (x, y) => {
  const [u, v] = [x.map(Math.log), y.map(Math.log)]
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length
  const [meanU, meanV] = [mean(u), mean(v)]
  const product = (a, meanA, b, meanB) =>
    a.reduce((sum, value, i) => sum + (value - meanA) * (b[i] - meanB), 0)
  const exponent = product(u, meanU, v, meanV) / product(u, meanU, u, meanU)
  const explained = exponent * product(u, meanU, v, meanV)
  return {
    exponent,
    factor: Math.exp(meanV - exponent * meanU),
    rSquared: explained / product(v, meanV, v, meanV)
  }
}
