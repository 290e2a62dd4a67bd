/** Accuracy of each class with its interval, the worst first. */
import { wilsonInterval } from "../Train/Result.ts"
import { html, type Markup, percent, px } from "./Html.ts"

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
  const floor = Math.floor(10 * Math.min(...rows.map(({ interval }) => interval[0]))) / 10
  const at = (share: number): number => px((100 * (share - floor)) / (1 - floor))
  const list = rows.map(
    ({
      correct,
      images,
      interval: [low, high],
      name,
      share
    }) => html`<li title="${correct} of ${images}, 95 % interval ${percent(low, 1)} to ${percent(high, 1)}"><span>${name}</span>
<span class="track"><i class="all" style="left:${at(overall)}%"></i><i class="interval" style="left:${at(low)}%;right:${px(100 - at(high))}%"></i><i class="dot" style="left:${at(share)}%"></i></span><b>${percent(share, 1)}</b></li>`
  )
  return html`<section><h2>Accuracy by class</h2>
<p class="note">The worst first, with 95 % intervals, from ${percent(floor, 0)} to 100 %; the line is the accuracy over all classes.</p>
<ol class="${rows.length > 12 ? "classes many" : "classes"}">${list}</ol></section>`
}
