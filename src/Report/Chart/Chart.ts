/**
 * Line charts over epochs or other counts as SVG, without a script. The values at a count are shown where the pointer
 * is, and all of them in a table below for keyboards and screen readers.
 */
import { html, type Markup, NOTHING, px } from "../Page/Html.ts"
import { numbers } from "../Page/Numbers.ts"
import { countScale, type Scale } from "./Scale.ts"

/** Classes that give a curve its colour. */
export const COLOURS = ["validation", "orange", "violet", "teal", "pink", "gold", "brown", "train"] as const
export type Colour = (typeof COLOURS)[number]

export interface Series {
  readonly name: string
  readonly colour: Colour
  /** A value for each of the chart's counts; null where there is none. */
  readonly values: ReadonlyArray<number | null>
}

export interface ChartOptions {
  readonly title: string
  /** Said in small print below. */
  readonly note?: string
  /** Ascending from 1 or more, along the foot of the chart. */
  readonly counts: ReadonlyArray<number>
  /** What is counted. */
  readonly unit: string
  readonly series: ReadonlyArray<Series>
  readonly scale: Scale
  /** Values beside the legend and under the pointer. */
  readonly format: (value: number) => string
  /** A count that is marked, and why. */
  readonly mark?: { readonly count: number; readonly label: string }
}

const WIDTH = 460
const HEIGHT = 264
const LEFT = 66
const RIGHT = WIDTH - 12
const TOP = 24
const BOTTOM = HEIGHT - 44

/** More counts than this share the places that react to the pointer. */
const PLACES = 200

const present = (values: ReadonlyArray<number | null>) => values.filter((value) => value !== null)

/** The values that a scale has to hold. */
export const valuesOf = (series: ReadonlyArray<Series>): ReadonlyArray<number> =>
  series.flatMap(({ values }) => present(values))

/** More counts than this leave rows of the table out, evenly; the last is always there. */
const ROWS = 50

const table = (
  counts: ReadonlyArray<number>,
  unit: string,
  series: ReadonlyArray<Series>,
  format: (value: number) => string
): Markup => {
  const stride = Math.ceil(counts.length / ROWS)
  const rows = counts.flatMap((count, i) => {
    if ((counts.length - 1 - i) % stride !== 0) return []
    const cells = series.map(({ values }) => {
      const value = values[i]
      return html`<td>${value === null ? "–" : format(value)}</td>`
    })
    return [html`<tr><th scope="row">${count}</th>${cells}</tr>`]
  })
  return numbers([unit, ...series.map(({ name }) => name)], rows)
}

export const chart = ({ counts, format, mark, note, scale, series, title, unit }: ChartOptions): Markup => {
  const along = countScale(counts[counts.length - 1])
  const x = (count: number): number => px(LEFT + along.position(count) * (RIGHT - LEFT))
  const y = (value: number): number => px(BOTTOM - scale.position(value) * (BOTTOM - TOP))

  const grid = scale.ticks.map(
    (tick) => html`<path class="grid" d="M${LEFT} ${y(tick)}H${RIGHT}"/>
<text class="tick" x="${LEFT - 6}" y="${y(tick) + 4}" text-anchor="end">${scale.format(tick)}</text>`
  )
  const below = along.ticks.map(
    (tick) =>
      html`<text class="tick" x="${x(tick)}" y="${BOTTOM + 18}" text-anchor="middle">${along.format(tick)}</text>`
  )

  const axis = html`<text class="tick" x="${px((LEFT + RIGHT) / 2)}" y="${HEIGHT - 6}" text-anchor="middle">${unit}</text>`

  const curves = series.map(({ colour, values }) => {
    const points = counts.flatMap((count, i) => {
      const value = values[i]
      return value === null ? [] : [{ x: x(count), y: y(value) }]
    })
    return points.length === 1
      ? html`<circle class="point ${colour}" cx="${points[0].x}" cy="${points[0].y}" r="4"/>`
      : html`<path class="curve ${colour}" d="M${points.map(({ x, y }) => `${x} ${y}`).join("L")}"/>`
  })

  const stride = Math.ceil(counts.length / PLACES)
  const width = (stride * (RIGHT - LEFT)) / Math.max(1, counts[counts.length - 1] - 1)
  const places = counts.flatMap((count, i) => {
    if ((counts.length - 1 - i) % stride !== 0) return []
    const shown = series.flatMap(({ colour, name, values }) => {
      const value = values[i]
      return value === null ? [] : [{ colour, name, value }]
    })
    return [
      html`<g class="place"><rect x="${px(x(count) - width / 2)}" y="${TOP}" width="${px(width)}" height="${BOTTOM - TOP}"/>
<path d="M${x(count)} ${TOP}V${BOTTOM}"/>${shown.map(
        ({ colour, value }) => html`<circle class="${colour}" cx="${x(count)}" cy="${y(value)}" r="4"/>`
      )}
<text x="${LEFT}" y="14">${unit} ${count}${shown.map(
        ({ colour, value }) =>
          html`<tspan class="${colour}" dx="12">● </tspan><tspan>${format(value)}</tspan>`
      )}</text></g>`
    ]
  })

  const marked =
    mark === undefined
      ? NOTHING
      : html`<path class="mark" d="M${x(mark.count)} ${TOP}V${BOTTOM}"/><text class="tick" x="${x(mark.count)}" y="${BOTTOM - 6}" ${
          along.position(mark.count) > 0.5 ? html`text-anchor="end" dx="-5"` : html`dx="5"`
        }>${mark.label}</text>`

  const legend = series.map(({ colour, name, values }) => {
    const last = present(values).at(-1)
    return last === undefined
      ? NOTHING
      : html`<span><i class="${colour}"></i>${name} <b>${format(last)}</b></span>`
  })
  return html`<figure class="chart"><figcaption><h3>${title}</h3><p class="legend">${legend}</p></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title} by ${unit}">${grid}${below}${axis}${marked}${curves}${places}</svg>
${table(counts, unit, series, format)}${note === undefined ? NOTHING : html`<p class="note">${note}</p>`}</figure>`
}
