/** Accuracy of each class with its interval, the worst first. */
import { wilsonInterval } from "../Train/Run/Interval.ts"
import { floorOf, track } from "./Chart/Track.ts"
import { html, type Markup, percent } from "./Page/Html.ts"

export const classesSection = (
  confusion: ReadonlyArray<ReadonlyArray<number>>,
  names: ReadonlyArray<string>,
  overall: number
): Markup => {
  const rows = confusion
    .flatMap((row, label) => {
      const images = row.reduce((sum, value) => sum + value, 0)
      if (images === 0) return []
      const correct = row[label]
      return [
        {
          name: names[label],
          images,
          correct,
          share: correct / images,
          interval: wilsonInterval(correct, images)
        }
      ]
    })
    .sort((a, b) => a.share - b.share)
  const floor = floorOf(rows.map(({ interval }) => interval))
  const list = rows.map(
    ({
      correct,
      images,
      interval,
      name,
      share
    }) => html`<li title="${correct} of ${images}, 95 % interval ${percent(interval[0], 1)} to ${percent(interval[1], 1)}"><span>${name}</span>
${track(floor, overall, share, interval)}<b>${percent(share, 1)}</b><span class="unseen">${correct} of ${images}, 95 % interval ${percent(interval[0], 1)} to ${percent(interval[1], 1)}</span></li>`
  )
  return html`<section><h2>Accuracy by class</h2>
<p class="note">The worst first, with 95 % intervals, from ${percent(floor, 0)} to 100 %; the line is the accuracy over all classes.</p>
<ol class="${rows.length > 12 ? "classes many" : "classes"}">${list}</ol></section>`
}
