/** Accuracies with their intervals, one below the other on lines that begin and end alike. */
import { html, type Markup, px } from "../Page/Html.ts"

type Interval = readonly [low: number, high: number]

/** Where the lines begin so that all intervals are on them, in whole tenths. They end at 1. */
export const floorOf = (intervals: ReadonlyArray<Interval>): number =>
  Math.min(0.9, Math.floor(10 * Math.min(...intervals.map(([low]) => low))) / 10)

/** A line from `floor` to 1 with an accuracy, its interval, and a mark at the `overall` accuracy. */
export const track = (floor: number, overall: number, share: number, [low, high]: Interval): Markup => {
  const at = (value: number): number => px((100 * (value - floor)) / (1 - floor))
  return html`<span class="track"><i class="all" style="left:${at(overall)}%"></i><i class="interval" style="left:${at(low)}%;right:${px(100 - at(high))}%"></i><i class="dot" style="left:${at(share)}%"></i></span>`
}
