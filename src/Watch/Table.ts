/** The table of runs, whose rows are cards on a narrow screen. */
import { formatSeconds } from "../Platform/Text.ts"
import type { Colour } from "../Report/Chart/Chart.ts"
import { html, type Markup, NOTHING, percent, px } from "../Report/Page/Html.ts"
import { addressOf, type Choice, type Chosen, type Column, sortedBy } from "./Choice.ts"
import type { Difference } from "./Differences.ts"
import { accuracyOf, epochsOf, secondsLeft, secondsOf, validationAccuracies } from "./Numbers.ts"
import type { WatchedRun } from "./Runs.ts"

const HEADS: Readonly<Record<Column, string>> = {
  name: "Run",
  state: "State",
  recipe: "Recipe",
  data: "Data",
  accuracy: "Accuracy",
  epochs: "Epochs",
  time: "Time",
  changed: "Changed"
}

const head = (choice: Choice, column: Column): Markup => {
  const sorted = choice.sort === column
  const order = choice.descending ? "descending" : "ascending"
  const arrow = sorted ? html`<span aria-hidden="true"> ${choice.descending ? "↓" : "↑"}</span>` : NOTHING
  return html`<th scope="col"${sorted ? html` aria-sort="${order}"` : NOTHING}><a id="sort-${column}" href="${addressOf(sortedBy(choice, column))}" data-choice>${HEADS[column]}${arrow}</a></th>`
}

const STATES: Readonly<Record<WatchedRun["state"], string>> = {
  training: "training",
  finished: "finished",
  stopped: "stopped",
  unreadable: "cannot be read"
}

export const stateOf = ({ state }: WatchedRun): Markup =>
  html`<span class="state ${state}">${STATES[state]}</span>`

/** The address of a run's page. */
export const runAddress = (name: string): string => `/run?${new URLSearchParams({ name })}`

const WIDTH = 72
const HEIGHT = 22

/** Validation accuracy by epoch, as a line as high as a row. */
const spark = (run: WatchedRun): Markup => {
  const values = validationAccuracies(run).flatMap((value, i) => (value === null ? [] : [{ value, i }]))
  if (values.length < 2) return NOTHING
  const last = Math.max(1, run.metrics.length - 1)
  const points = values.map(
    ({ value, i }) => `${px(1 + (i / last) * (WIDTH - 2))} ${px(HEIGHT - 2 - value * (HEIGHT - 4))}`
  )
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true"><path d="M${points.join("L")}"/></svg>`
}

const accuracyCell = (run: WatchedRun): Markup => {
  const accuracy = accuracyOf(run)
  if (accuracy === undefined) return html`<span class="soft">–</span>`
  const { interval, split, value } = accuracy
  const small =
    interval === undefined
      ? html`best on ${split}`
      : html`${percent(interval[0], 1)} to ${percent(interval[1], 1)}`
  return html`<div class="measured"><span><b>${percent(value)}</b><small>${small}</small></span>${spark(run)}</div>`
}

const epochsCell = (run: WatchedRun): Markup => {
  const { done, of } = epochsOf(run)
  if (of === 0) return html`<span class="soft">–</span>`
  const bar =
    run.state === "training"
      ? html`<progress max="${of}" value="${done}" aria-label="epochs done"></progress>`
      : NOTHING
  return html`${done}${done === of ? NOTHING : ` of ${of}`}${bar}`
}

const timeCell = (run: WatchedRun): Markup => {
  const seconds = secondsOf(run)
  const left = secondsLeft(run)
  return html`${seconds === undefined ? "–" : formatSeconds(seconds)}${
    left === undefined ? NOTHING : html`<small>${formatSeconds(left)} left</small>`
  }`
}

/** A moment in this machine's time, as `28 Nov, 12:05`. */
const moment = (time: number): Markup => {
  const date = new Date(time)
  const text = date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit"
  })
  return html`<time datetime="${date.toISOString()}">${text}</time>`
}

/** Differences that are shown in a row. */
const SHOWN = 5

const told = ({ key, value }: Difference): string => `${key}: ${value}`

/** The last part of each key; the whole is under the pointer. */
const differencesCell = (differences: ReadonlyArray<Difference>): Markup => {
  const [shown, more] = [differences.slice(0, SHOWN), differences.slice(SHOWN)]
  const chips = shown.map(
    (difference) =>
      html`<span class="chip" title="${told(difference)}">${difference.key.split(".").at(-1) ?? ""} <b>${difference.value}</b></span>`
  )
  const rest =
    more.length === 0
      ? NOTHING
      : html`<span class="chip soft" title="${more.map(told).join("\n")}">+${more.length}</span>`
  return html`<div class="chips">${chips}${rest}</div>`
}

/** A link that looks for a word. */
const looking = (choice: Choice, text: string | undefined): Markup =>
  text === undefined
    ? html`<span class="soft">–</span>`
    : html`<a class="plain" data-choice href="${addressOf({ ...choice, words: text })}">${text}</a>`

const cell = (name: string, label: string, content: Markup): Markup =>
  html`<td class="${name}" data-label="${label}">${content}</td>`

const row = (run: WatchedRun, choice: Choice, chosen: Chosen, colour: Colour | undefined): Markup => {
  const { config, name, problem } = run
  const title = html`<a href="${runAddress(name)}">${name}</a>${problem === undefined ? NOTHING : html`<small class="wrong">${problem}</small>`}`
  return html`<tr${colour === undefined ? NOTHING : html` class="${colour}"`}><td class="box"><input type="checkbox" form="choice" name="run" value="${name}" id="box-${name}" aria-label="curves of ${name}"${colour === undefined ? NOTHING : html` checked`}></td>
<th scope="row" class="name">${title}</th>${[
    cell("", HEADS.state, stateOf(run)),
    cell("word", HEADS.recipe, looking(choice, config?.experiment.name)),
    cell("word", HEADS.data, looking(choice, config?.dataset.name)),
    cell("number", HEADS.accuracy, accuracyCell(run)),
    cell("number", HEADS.epochs, epochsCell(run)),
    cell("number", HEADS.time, timeCell(run)),
    cell("number", HEADS.changed, moment(run.changed)),
    cell("differences", "Differs in", differencesCell(chosen.differences.get(run) ?? []))
  ]}</tr>`
}

/** What the form sends besides what is seen: the order, and chosen runs that are filtered out. */
const hidden = (choice: Choice, { curves, runs }: Chosen): ReadonlyArray<Markup> => [
  html`<input type="hidden" form="choice" name="sort" value="${choice.sort}"><input type="hidden" form="choice" name="order" value="${choice.descending ? "down" : "up"}">`,
  ...curves
    .filter((run) => !runs.includes(run))
    .map(({ name }) => html`<input type="hidden" form="choice" name="run" value="${name}">`)
]

/** The table; `colours` are those of the curves that are shown. */
export const table = (choice: Choice, chosen: Chosen, colours: ReadonlyMap<WatchedRun, Colour>): Markup => {
  const { all, runs } = chosen
  const counted =
    runs.length === all ? `${all} ${all === 1 ? "run" : "runs"}` : `${runs.length} of ${all} runs`
  const columns = (Object.keys(HEADS) as ReadonlyArray<Column>).map((column) => head(choice, column))
  return html`${hidden(choice, chosen)}<p class="told" role="status">${counted}</p>
<div class="scroll wide" tabindex="0" role="group" aria-label="table of runs"><table class="runs"><thead><tr><td></td>${columns}<th scope="col">Differs in</th></tr></thead><tbody>${runs.map(
    (run) => row(run, choice, chosen, colours.get(run))
  )}</tbody></table></div>`
}
