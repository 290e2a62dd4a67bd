/** Reliability diagrams: accuracy against confidence. */
import type { Calibration } from "../../Ensemble/Statistics/Calibration.ts"
import { count, html, type Markup, percent, px } from "../Page/Html.ts"
import { numbers } from "../Page/Numbers.ts"

const WIDTH = 460
const HEIGHT = 312
const LEFT = 66
const RIGHT = WIDTH - 30
const TOP = 24
const BOTTOM = HEIGHT - 40
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]

const x = (share: number): number => px(LEFT + share * (RIGHT - LEFT))
const y = (share: number): number => px(BOTTOM - share * (BOTTOM - TOP))

const axes = TICKS.map(
  (tick) => html`<path class="grid" d="M${LEFT} ${y(tick)}H${RIGHT}"/>
<text class="tick" x="${LEFT - 6}" y="${y(tick) + 4}" text-anchor="end">${percent(tick, 0)}</text>
<text class="tick" x="${x(tick)}" y="${BOTTOM + 18}" text-anchor="middle">${percent(tick, 0)}</text>`
)

/**
 * Bars of accuracy by confidence, beside the diagonal where the two are the same. Below both of them a bar is blue;
 * between them it is green where accuracy is the higher one, and orange where confidence is.
 */
export const reliability = (title: string, { bins, brier, ece, loss }: Calibration): Markup => {
  const images = bins.reduce((sum, bin) => sum + bin.images, 0)
  const bars = bins.flatMap(({ accuracy, confidence, from, images: inBin, to }) => {
    if (accuracy === null || confidence === null) return []
    const place = html`x="${x(from) + 1}" width="${px(x(to) - x(from) - 2)}"`
    const [low, high] = [Math.min(accuracy, confidence), Math.max(accuracy, confidence)]
    // The root lets bins of few images be seen beside the last one, which has most of them.
    const opacity = px(0.2 + 0.8 * Math.sqrt(inBin / images))
    return [
      html`<g fill-opacity="${opacity}"><rect class="common" ${place} y="${y(low)}" height="${px(BOTTOM - y(low))}"/>
<rect class="${accuracy < confidence ? "over" : "under"}" ${place} y="${y(high)}" height="${px(y(low) - y(high))}"/>
<title>confidence ${percent(confidence)}, accuracy ${percent(accuracy)}: ${count(inBin)} images</title></g>`
    ]
  })
  const rows = bins.flatMap(({ accuracy, confidence, from, images: inBin, to }) =>
    accuracy === null || confidence === null
      ? []
      : [
          html`<tr><th scope="row">${percent(from, 1)} to ${percent(to, 1)}</th><td>${percent(confidence)}</td><td>${percent(accuracy)}</td><td>${count(inBin)}</td></tr>`
        ]
  )
  const measures = [
    ["ECE", percent(ece)],
    ["loss", loss.toFixed(4)],
    ["Brier score", brier.toFixed(4)]
  ].map(([name, value]) => html`<span>${name} <b>${value}</b></span>`)
  return html`<figure class="chart"><figcaption><h3>${title}</h3><p class="legend">${measures}</p></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: accuracy by confidence">${axes}<text class="tick" x="${LEFT}" y="14">accuracy</text>${bars}
<path class="mark" d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}"/><text class="tick" x="${px((LEFT + RIGHT) / 2)}" y="${HEIGHT - 4}" text-anchor="middle">confidence</text></svg>
${numbers(["bin", "confidence", "accuracy", "images"], rows)}</figure>`
}
