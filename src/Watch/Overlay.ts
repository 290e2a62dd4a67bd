/** Curves of several runs laid over each other, in the report's charts. */
import type { EpochMetrics } from "../Events.ts"
import { COLOURS, type Colour, chart, type Series, valuesOf } from "../Report/Chart/Chart.ts"
import { accuracyScale, isStretched, linearScale, logScale, type Scale } from "../Report/Chart/Scale.ts"
import { count, html, type Markup, NOTHING, percent } from "../Report/Page/Html.ts"
import { validationAccuracies } from "./Numbers.ts"
import type { WatchedRun } from "./Runs.ts"

const digits = (value: number): string => String(Number(value.toPrecision(3)))

/** The colours of runs whose curves are shown. */
export const coloursOf = (runs: ReadonlyArray<WatchedRun>): ReadonlyMap<WatchedRun, Colour> =>
  new Map(runs.map((run, i) => [run, COLOURS[i % COLOURS.length]]))

interface Kind {
  readonly title: string
  readonly note?: (values: ReadonlyArray<number>) => string
  readonly values: (run: WatchedRun) => ReadonlyArray<number | null>
  readonly scale: (values: ReadonlyArray<number>) => Scale
  readonly format: (value: number) => string
}

const ofLine =
  (value: (line: EpochMetrics) => number | null) =>
  ({ metrics }: WatchedRun) =>
    metrics.map(value)

const STRETCHED = "The axis is stretched towards 100 %."

const shares = {
  note: (values: ReadonlyArray<number>) => (isStretched(values) ? STRETCHED : ""),
  scale: accuracyScale,
  format: percent
}

const losses = {
  scale: logScale,
  format: (value: number) => value.toFixed(3),
  note: () => "Logarithmic axis."
}

const KINDS: ReadonlyArray<Kind> = [
  { title: "Validation accuracy", values: validationAccuracies, ...shares },
  { title: "Validation loss", values: ofLine(({ valLoss }) => valLoss), ...losses },
  { title: "Training accuracy", values: ofLine(({ trainAccuracy }) => trainAccuracy), ...shares },
  { title: "Training loss", values: ofLine(({ trainLoss }) => trainLoss), ...losses },
  {
    title: "Learning rate",
    values: ofLine(({ lr }) => lr),
    scale: (values) => linearScale(values, digits),
    format: digits
  },
  {
    title: "Images per second",
    values: ofLine(({ imagesPerSecond }) => imagesPerSecond),
    scale: (values) => linearScale(values, count),
    format: (value) => (value < 100 ? digits(value) : count(value))
  }
]

/** A value of a run for each of the counts. */
const along = (run: WatchedRun, counts: ReadonlyArray<number>, values: ReadonlyArray<number | null>) => {
  const byEpoch = new Map(run.metrics.map(({ epoch }, i) => [epoch, values[i]]))
  return counts.map((epoch) => byEpoch.get(epoch) ?? null)
}

/** The charts of some runs, each in its colour. */
export const overlay = (colours: ReadonlyMap<WatchedRun, Colour>): Markup => {
  const runs = [...colours.keys()]
  const counts = [...new Set(runs.flatMap(({ metrics }) => metrics.map(({ epoch }) => epoch)))].sort(
    (a, b) => a - b
  )
  if (counts.length === 0) return NOTHING
  const charts = KINDS.flatMap(({ format, note, scale, title, values }) => {
    const series = runs.flatMap((run): ReadonlyArray<Series> => {
      const own = along(run, counts, values(run))
      const colour = colours.get(run)
      return colour === undefined || own.every((value) => value === null)
        ? []
        : [{ name: run.name, colour, values: own }]
    })
    const all = valuesOf(series)
    if (all.length === 0) return []
    const said = note?.(all) ?? ""
    return [
      chart({
        title,
        counts,
        unit: "epoch",
        series,
        scale: scale(all),
        format,
        ...(said !== "" && { note: said })
      })
    ]
  })
  return html`<section><h2>Curves</h2><div class="charts">${charts}</div></section>`
}
