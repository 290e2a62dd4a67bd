/** The curves of a run: accuracy, loss, learning rate and speed by epoch. */
import type { EpochMetrics } from "../Events.ts"
import { COLOURS, chart, type Series, valuesOf } from "./Chart/Chart.ts"
import { accuracyScale, isStretched, linearScale, logScale } from "./Chart/Scale.ts"
import { count, html, type Markup, NOTHING, percent } from "./Page/Html.ts"

const digits = (value: number): string => String(Number(value.toPrecision(3)))

/** `kept` is the epoch whose weights were chosen, where the run has come to its end. */
export const curves = (metrics: ReadonlyArray<EpochMetrics>, kept?: number): Markup => {
  if (metrics.length === 0) return NOTHING
  const along = { counts: metrics.map(({ epoch }) => epoch), unit: "epoch" }
  const of = (
    name: string,
    colour: Series["colour"],
    value: (line: EpochMetrics) => number | null
  ): ReadonlyArray<Series> => {
    const values = metrics.map(value)
    return values.some((value) => value !== null) ? [{ name, colour, values }] : []
  }
  const weights = [...new Set(metrics.flatMap(({ accuracy }) => Object.keys(accuracy)))]
  const accuracy = [
    ...of("training", "train", ({ trainAccuracy }) => trainAccuracy),
    ...weights.flatMap((name, i) =>
      of(
        name === "raw" ? "validation" : `validation, ${name.toUpperCase()}`,
        COLOURS[i % COLOURS.length],
        ({ accuracy }) => accuracy[name] ?? null
      )
    )
  ]
  const loss = [
    ...of("training", "train", ({ trainLoss }) => trainLoss),
    ...of("validation", "validation", ({ valLoss }) => valLoss)
  ]
  const lr = of("learning rate", "train", ({ lr }) => lr)
  const speed = of("training", "train", ({ imagesPerSecond }) => imagesPerSecond)
  const waited = metrics.reduce((sum, { waitShare }) => sum + waitShare, 0) / metrics.length
  const selected = kept !== undefined && accuracy.length > 1 ? { mark: { count: kept, label: "kept" } } : {}
  return html`<section><h2>Curves</h2><div class="charts">${[
    chart({
      title: "Accuracy",
      note: `Training accuracy is that of augmented images while the weights change.${isStretched(valuesOf(accuracy)) ? " The axis is stretched towards 100 %." : ""}`,
      ...along,
      series: accuracy,
      scale: accuracyScale(valuesOf(accuracy)),
      format: percent,
      ...selected
    }),
    chart({
      title: "Loss",
      note: "Training loss includes what makes training harder: augmentation and label smoothing. Logarithmic axis.",
      ...along,
      series: loss,
      scale: logScale(valuesOf(loss)),
      format: (value) => value.toFixed(3)
    }),
    chart({
      title: "Learning rate",
      ...along,
      series: lr,
      scale: linearScale(valuesOf(lr), digits),
      format: digits
    }),
    chart({
      title: "Images per second",
      note: `${percent(waited)} of the training time went into waiting for batches.`,
      ...along,
      series: speed,
      scale: linearScale(valuesOf(speed), count),
      format: (value) => (value < 100 ? digits(value) : count(value))
    })
  ]}</div></section>`
}
