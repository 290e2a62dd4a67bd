/** The page of one run: where it stands, its curves, its configuration, and the way to its report. */
import { formatSeconds, short } from "../Platform/Text.ts"
import { curves } from "../Report/Curves.ts"
import { inWords, row, tile } from "../Report/Overview.ts"
import { html, type Markup, NOTHING, percent } from "../Report/Page/Html.ts"
import { MISTAKES } from "../Report/Samples.ts"
import { accuracyOf, epochsOf, secondsLeft, secondsOf } from "./Numbers.ts"
import type { WatchedRun } from "./Runs.ts"
import { stateOf } from "./Table.ts"

/** The address of a run's report. */
export const reportAddress = (name: string): string => `/report?${new URLSearchParams({ name })}`

const measured = (run: WatchedRun): Markup => {
  const accuracy = accuracyOf(run)
  if (accuracy === undefined) return html`<p class="lead"><span>nothing is measured yet</span></p>`
  const { interval, split, value } = accuracy
  const small =
    interval === undefined
      ? html`the best so far on the ${split} images`
      : html`on the ${split} images, 95 % interval ${percent(interval[0])} to ${percent(interval[1])}`
  return html`<p class="accuracy">${percent(value)}</p><p class="lead"><span>${small}</span></p>`
}

const links = ({ hasReport, name }: WatchedRun): Markup =>
  hasReport
    ? html`<p class="links"><a class="button" href="${reportAddress(name)}">Report</a><a class="button" href="${reportAddress(name)}#${MISTAKES}">Worst mistakes</a></p>`
    : NOTHING

const tiles = (run: WatchedRun): Markup => {
  const { metrics, result } = run
  const { done, of } = epochsOf(run)
  const [seconds, left, last] = [secondsOf(run), secondsLeft(run), metrics.at(-1)]
  return html`<dl class="tiles">${[
    tile("Epochs", done === of ? String(of) : `${done} of ${of}`),
    ...(seconds === undefined ? [] : [tile("Training time", formatSeconds(seconds))]),
    ...(left === undefined ? [] : [tile("Left", formatSeconds(left))]),
    ...(last === undefined ? [] : [tile("Training loss", last.trainLoss.toFixed(4))]),
    ...(result === undefined
      ? []
      : [tile("Test loss", result.loss.toFixed(4)), tile("Parameters", short(result.parameters))])
  ]}</dl>`
}

const facts = ({ config, directory }: WatchedRun): Markup => {
  if (config === undefined) return NOTHING
  const { command, dataset, environment, experiment } = config
  return html`<div><table class="facts"><tbody>${[
    row("Recipe", experiment.name),
    row("Data", dataset.name),
    row("Model", inWords(experiment.model)),
    row("Augmentation", experiment.augment.map((step) => inWords(step)).join("; ") || "none"),
    row("Seed", String(experiment.seed)),
    row("Device", environment.device),
    row("Folder", html`<code>${directory}</code>`),
    row("Command", html`<code>${command}</code>`)
  ]}</tbody></table>
<details><summary>The whole configuration</summary><pre>${JSON.stringify(experiment, null, 2)}</pre></details></div>`
}

/** What changes of the page while the run is trained: all of it. */
export const runPage = (run: WatchedRun): Markup =>
  html`<header><div><p class="kicker">${stateOf(run)}</p>${
    run.problem === undefined ? NOTHING : html`<p class="wrong">${run.problem}</p>`
  }${measured(run)}${tiles(run)}${links(run)}</div>${facts(run)}</header>
${curves(run.metrics, run.result?.epochs)}`
