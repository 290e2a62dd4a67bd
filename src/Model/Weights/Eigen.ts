/** Eigenvalues and eigenvectors of small symmetric matrices. */

export interface Eigen {
  /** Largest first. */
  readonly values: Float64Array
  /** The unit vector of each value; its largest component is positive. */
  readonly vectors: ReadonlyArray<Float64Array>
}

/** Turns rows and columns p and q by the angle that makes their common element zero. */
const rotate = (a: Float64Array, v: Float64Array, n: number, p: number, q: number): void => {
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  const mix = (m: Float64Array, i: number, j: number): void => {
    const [x, y] = [m[i], m[j]]
    m[i] = c * x - s * y
    m[j] = s * x + c * y
  }
  for (let k = 0; k < n; k++) mix(a, k * n + p, k * n + q)
  for (let k = 0; k < n; k++) mix(a, p * n + k, q * n + k)
  for (let k = 0; k < n; k++) mix(v, k * n + p, k * n + q)
}

const offDiagonal = (a: Float64Array, n: number): number => {
  let sum = 0
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += a[i * n + j] ** 2
  return Math.sqrt(sum)
}

/** Positive in its largest component: the sign of an eigenvector is arbitrary. */
const oriented = (vector: Float64Array): Float64Array => {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0)
  return largest < 0 ? vector.map((value) => -value) : vector
}

/** Jacobi's method (Golub and Van Loan, "Matrix Computations", section 8.5). `matrix` is n×n, row by row. */
export const symmetricEigen = (matrix: Float64Array, n: number): Eigen => {
  const a = Float64Array.from(matrix)
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  const tolerance = 1e-14 * Math.hypot(...a)
  while (offDiagonal(a, n) > tolerance)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) if (a[p * n + q] !== 0) rotate(a, v, n, p, q)
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i])
  return {
    values: Float64Array.from(order, (i) => a[i * n + i]),
    vectors: order.map((i) => oriented(Float64Array.from({ length: n }, (_, k) => v[k * n + i])))
  }
}
