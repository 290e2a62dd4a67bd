/**
 * The report of an ensemble: one HTML file that needs nothing else, and the same numbers as JSON.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { Split } from "../Data.ts"
import type { CombinationRule } from "../Ensemble/Combine.ts"
import type { EnsembleReport } from "../Ensemble/Statistics.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import { chart, valuesOf } from "./Chart/Chart.ts"
import { heatMap } from "./Chart/HeatMap.ts"
import { reliability } from "./Chart/Reliability.ts"
import { accuracyScale } from "./Chart/Scale.ts"
import { classesSection } from "./Classes.ts"
import { confusionSection } from "./Confusion.ts"
import { membersSection, points } from "./Members.ts"
import { row, tile } from "./Overview.ts"
import { count, html, type Markup, NOTHING, percent } from "./Page/Html.ts"
import { page } from "./Page/Page.ts"
import { grid } from "./Samples.ts"

const STYLE = `
.members, .heat { border-spacing: 0; font-size: 14px; }
.members { width: 100%; }
.scroll:has(.members) { background-color: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 6px 0; }
.members th, .members td { padding: 5px 12px; text-align: right; white-space: nowrap; }
.members th { font-weight: 400; }
.members thead th, .members td:first-child { color: var(--soft); }
.members th:nth-child(2) { text-align: left; white-space: normal; min-width: 11em; overflow-wrap: break-word; }
.members .wide { min-width: 160px; width: 30%; text-align: center; }
.members .track { display: block; }
.members .whole > * { border-top: 1px solid var(--line); font-weight: 600; }
.heat { margin: 10px 0 4px; border-spacing: 2px; }
.heat th { color: var(--soft); font-weight: 400; padding: 2px 8px; }
.heat td { padding: 6px 5px; border-radius: 4px; text-align: right; white-space: nowrap;
  background: color-mix(in srgb, var(--orange) var(--shade, 0%), transparent); }
.heat .below { background: color-mix(in srgb, var(--validation) var(--shade, 0%), transparent); }
.charts > :only-child { max-width: 560px; }
.common { fill: var(--validation); } .over { fill: var(--orange); } .under { fill: var(--good); }
`

const RULES: Readonly<Record<CombinationRule, string>> = {
  MeanProbabilities: "weighted mean of the members' probabilities",
  MeanLogits: "softmax of the weighted mean of the members' logits",
  MajorityVote: "weighted votes, ties decided by the mean probability",
  RankMean: "weighted mean of the ranks that members give to the classes"
}

/** What the images had a part in. */
const roleOf = ({ images, split }: EnsembleReport): string =>
  split === "test"
    ? "The test images selected nothing: they were looked at once everything was chosen."
    : `These are ${count(images)} ${split} images. Numbers on images that something was chosen on, or trained on, are too good: only those on test images say what to expect.`

const overview = (report: EnsembleReport): Markup => {
  const { calibration, classes, dataset, gain, images, members, split, temperature, whole } = report
  const scaled = temperature === null ? "" : ", with the temperature"
  return html`<header><div><p class="kicker">Ensemble of ${members.length}</p>
<p class="accuracy">${percent(whole.accuracy)}</p>
<p class="lead">of ${count(images)} ${split} images of ${dataset} are classified right<br>
<span>95 % interval ${percent(whole.interval[0])} to ${percent(whole.interval[1])}</span></p>
<dl class="tiles">${[
    ...(classes.length > 5 ? [tile("Top-5 accuracy", percent(whole.top5))] : []),
    ...(members.length > 1 ? [tile("Beside the best member", `${points(gain.difference)} points`)] : []),
    tile(`Loss${scaled}`, whole.loss.toFixed(4)),
    tile(`Calibration error${scaled}`, percent((calibration.after ?? calibration.before).ece)),
    tile("Wrong for all members", count(report.allWrong.length))
  ]}</dl></div>
<div><table class="facts"><tbody>${[
    row("Data", `${dataset}, ${classes.length} classes: ${count(images)} ${split} images`),
    row("Combined by", RULES[report.rule]),
    row("Chosen", report.selection),
    row("Temperature", temperature === null ? "none" : String(Number(temperature.toPrecision(4)))),
    row("Seed", `${report.seed}, of random sets of members`),
    row("Command", html`<code>${report.command}</code>`)
  ]}</tbody></table><p class="note">${roleOf(report)}</p></div></header>`
}

const calibrationSection = ({ calibration: { after, before }, temperature }: EnsembleReport): Markup =>
  html`<section><h2>Calibration</h2>
<p class="note">Images by their confidence, the score of the predicted class; bars of few images are pale. Blue with green is accuracy; orange is what confidence promises beyond it. ECE, the calibration error, is the mean distance of the two.</p>
<div class="charts">${[
    reliability(after === null ? "Confidence" : "As combined", before),
    ...(after === null || temperature === null
      ? []
      : [reliability(`With temperature ${Number(temperature.toPrecision(4))}`, after)])
  ]}</div></section>`

/** What members have in common, and what more of them bring; a single one has nothing to be compared with. */
const diversitySection = ({ disagreement, errorCorrelation, members, sizes }: EnsembleReport): Markup => {
  if (members.length === 1) return NOTHING
  const names = members.map(({ name }) => name)
  const series = [
    { name: "best set", colour: "violet", values: sizes.map(({ max }) => max) },
    { name: "mean", colour: "validation", values: sizes.map(({ mean }) => mean) },
    { name: "worst set", colour: "train", values: sizes.map(({ min }) => min) }
  ] as const
  const sampled = sizes.some(({ all }) => !all)
  return html`<section><h2>Members beside each other</h2><div class="charts">${[
    heatMap({
      title: "Disagreement",
      note: "Share of images that two members take for different classes.",
      names,
      values: disagreement,
      largest: Math.max(...disagreement.flat()),
      format: (value) => percent(value, 1)
    }),
    heatMap({
      title: "Correlation of errors",
      note: "φ: 1 where two members are wrong about the same images, 0 where their mistakes are independent; – where a member makes none, or only mistakes.",
      names,
      values: errorCorrelation,
      largest: 1,
      format: (value) => value.toFixed(2).replace("-", "−")
    }),
    chart({
      title: "Accuracy by number of members",
      note: `Over ${sampled ? "all sets of so many members, or 256 random ones where there are more" : "all sets of so many members"}, with equal weights.`,
      counts: sizes.map(({ size }) => size),
      unit: "members",
      series,
      scale: accuracyScale(valuesOf(series)),
      format: percent
    })
  ]}</div></section>`
}

/** More images than this are not shown. */
const SHOWN = 48

const allWrongSection = Effect.fnUntraced(function* (
  { allWrong, classes, split }: EnsembleReport,
  images: Split
) {
  const shown = allWrong.toSorted((a, b) => b.probability - a.probability).slice(0, SHOWN)
  if (shown.length === 0) return NOTHING
  return html`<section><h2>Wrong for all members</h2>
<p class="note">${count(allWrong.length)} images${allWrong.length > SHOWN ? `, of which the ${SHOWN} with the highest scores are shown` : ""}, with the class that the whole takes them for, its score, and what they are.</p>
${yield* grid(images, split, shown, classes)}</section>`
})

/** The page of an ensemble's report; `images` is the split that it was measured on. */
export const ensemblePage = Effect.fn("ensemblePage")(function* (report: EnsembleReport, images: Split) {
  const { classes, dataset, members, whole } = report
  return page(
    `Ensemble of ${members.length}: ${percent(whole.accuracy)} on ${dataset}`,
    [
      overview(report),
      membersSection(report),
      calibrationSection(report),
      diversitySection(report),
      confusionSection(whole.confusion, classes),
      classesSection(whole.confusion, classes, whole.accuracy),
      yield* allWrongSection(report, images)
    ],
    STYLE
  )
})

/**
 * Writes `ensemble.json`, the report as it is, and `report.html` into a folder, and gives the latter's path. `images`
 * is the split that the ensemble was measured on.
 */
export const writeEnsembleReport = Effect.fn("writeEnsembleReport")(function* (
  directory: string,
  report: EnsembleReport,
  images: Split
) {
  yield* writeFileAtomic(path.join(directory, "ensemble.json"), `${JSON.stringify(report, null, 2)}\n`)
  const file = path.join(directory, "report.html")
  yield* writeFileAtomic(file, yield* ensemblePage(report, images))
  return file
})
