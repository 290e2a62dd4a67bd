/** The members of an ensemble and the whole, side by side. */
import type { EnsembleReport, MemberReport } from "../Ensemble/Statistics.ts"
import { floorOf, track } from "./Chart/Track.ts"
import { count, html, type Markup, NOTHING, percent } from "./Page/Html.ts"

/** A difference of two shares in percentage points, with its sign. */
export const points = (difference: number): string => {
  const value = (100 * difference).toFixed(2)
  return Number(value) === 0 ? "0.00" : value.replace(/^-/, "−").replace(/^\d/, "+$&")
}

const probability = (p: number): string => (p < 0.0001 ? "p below 0.0001" : `p = ${Number(p.toPrecision(2))}`)

/** How the whole compares with its best member, in words. */
const gainInWords = ({ gain, members, split }: EnsembleReport): Markup => {
  if (members.length === 1) return NOTHING
  const { best, difference, interval, onlyBest, onlyWhole, p } = gain
  return html`<p>${points(difference)} percentage points beside the best member, ${best} (95 % interval of the difference, Newcombe's for pairs, ${points(interval[0])} to ${points(interval[1])}):
only the whole is right about ${count(onlyWhole)} images, only that member about ${count(onlyBest)} (McNemar's test, two-sided: ${probability(p)}).</p>
<p class="note">The best member is the one with the highest accuracy on these ${split} images themselves, which can only make the gain look smaller.</p>`
}

export const membersSection = (report: EnsembleReport): Markup => {
  const { calibration, members, temperature, whole } = report
  const floor = floorOf([whole, ...members].map(({ interval }) => interval))
  const cells = ({ accuracy, interval, loss }: Omit<MemberReport, "name" | "weight">): Markup =>
    html`<td><b>${percent(accuracy)}</b></td><td>${percent(interval[0])} to ${percent(interval[1])}</td><td class="wide">${track(floor, whole.accuracy, accuracy, interval)}</td><td>${loss.toFixed(4)}</td>`
  const rows = members.map(
    (member, m) =>
      html`<tr><td>${m + 1}</td><th>${member.name}</th><td>${percent(member.weight)}</td>${cells(member)}</tr>`
  )
  return html`<section><h2>Members</h2><div class="scroll" tabindex="0" role="group" aria-label="members"><table class="members"><thead><tr><th>#</th><th>Member</th><th>Weight</th><th>Accuracy</th><th>95 % interval</th><th class="wide">${percent(floor, 0)} to 100 %</th><th>Loss</th></tr></thead>
<tbody>${rows}<tr class="whole"><td></td><th>The whole</th><td></td>${cells(whole)}</tr></tbody></table></div>
<p class="note">Intervals hold for the choice of images: Wilson's score intervals. The line is the accuracy of the whole.${temperature === null ? "" : ` Its loss is with its temperature; without, it is ${calibration.before.loss.toFixed(4)}.`}</p>
${gainInWords(report)}</section>`
}
