/** Axes of charts: where values lie, and which of them are written beside the axis. */

export interface Scale {
  /** Of a value, from 0 at the foot of the chart to 1 at its top. */
  readonly position: (value: number) => number
  readonly ticks: ReadonlyArray<number>
  readonly format: (value: number) => string
}

/** Least distance between two ticks, as a share of the axis. */
const APART = 0.1

/**
 * An axis that is linear in `transform(value)`, between the candidates that enclose all values. Of the candidates
 * between those that are written which are not too close to one above.
 */
const between = (
  values: ReadonlyArray<number>,
  candidates: ReadonlyArray<number>,
  transform: (value: number) => number,
  format: (value: number) => string
): Scale => {
  const [least, largest] = [Math.min(...values), Math.max(...values)]
  const low = candidates.slice(0, -1).findLast((tick) => tick <= least) ?? candidates[0]
  const high = candidates.find((tick) => tick >= largest && tick > low) ?? candidates[candidates.length - 1]
  const [from, to] = [transform(low), transform(high)]
  const position = (value: number): number => (transform(value) - from) / (to - from)
  const ticks: Array<number> = []
  for (const tick of candidates.filter((tick) => tick >= low && tick <= high).reverse()) {
    if (ticks.length === 0 || position(ticks[ticks.length - 1]) - position(tick) >= APART) ticks.push(tick)
  }
  return { position, ticks: ticks.reverse(), format }
}

const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 1]

/** From this accuracy on the last points are what matters, and a linear axis would hide them. */
const STRETCHED = 0.9

/** Whether the axis of such accuracies is stretched towards 100 %. */
export const isStretched = (values: ReadonlyArray<number>): boolean => Math.max(...values) >= STRETCHED

/**
 * Accuracies. Where one reaches 90 % the axis is stretched towards 100 %, where networks differ, as the logarithm of
 * the error is; below that it is linear.
 */
export const accuracyScale = (values: ReadonlyArray<number>): Scale =>
  between(
    values,
    SHARES,
    isStretched(values) ? (share) => -Math.log(1.002 - share) : (share) => share,
    (share) => `${Number((100 * share).toFixed(1))}\u00a0%`
  )

const DECADES = Array.from({ length: 13 }, (_, i) => i - 6).flatMap((exponent) =>
  [1, 1.5, 2, 3, 5, 7].map((digit) => Number(`${digit}e${exponent}`))
)

/** Positive values on a logarithmic axis. */
export const logScale = (values: ReadonlyArray<number>): Scale =>
  between(
    values,
    DECADES,
    (value) => Math.log(Math.max(value, DECADES[0])),
    (value) => String(Number(value.toPrecision(3)))
  )

/** The next of 1, 2 and 5 times a power of ten. */
const niceStep = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= value * (1 - 1e-9))!
}

/** Values from 0, on a linear axis with about five ticks. */
export const linearScale = (values: ReadonlyArray<number>, format: (value: number) => string): Scale => {
  const largest = Math.max(...values)
  const step = niceStep(largest > 0 ? largest / 5 : 1)
  const top = step * Math.max(1, Math.ceil(largest / step - 1e-9))
  return {
    position: (value) => value / top,
    ticks: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => Number((i * step).toPrecision(12))),
    format
  }
}

/** Counts, such as epochs, from 1 to the last, with whole numbers below. */
export const countScale = (last: number): Scale => {
  const step = Math.max(1, niceStep(last / 6))
  const ticks = Array.from({ length: Math.floor(last / step) }, (_, i) => (i + 1) * step)
  return {
    position: (count) => (last === 1 ? 0.5 : (count - 1) / (last - 1)),
    ticks: step === 1 ? ticks : [1, ...ticks],
    format: String
  }
}
