/** The pages, and what of them is sent again while runs are trained. */
import { html, type Markup, NOTHING } from "../Report/Page/Html.ts"
import { page } from "../Report/Page/Page.ts"
import { choiceOf, choose, MOST_CURVES } from "./Choice.ts"
import { coloursOf, overlay } from "./Overlay.ts"
import { runPage } from "./RunPage.ts"
import { MOST, type WatchedRun } from "./Runs.ts"
import { STYLE } from "./Style.ts"
import { table } from "./Table.ts"

type Runs = ReadonlyArray<WatchedRun>

/** `fixed` stays as it is while `live` is replaced. */
const framed = (title: string, top: Markup, fixed: Markup, live: Markup): string =>
  page(
    title,
    [
      html`<div class="top">${top}<span id="light" class="light" role="status">not live</span></div>`,
      html`<main>${fixed}<div id="live">${live}</div></main><script src="/watch.js"></script>`
    ],
    STYLE
  )

/** The part of the list that changes. */
export const listPart = (runs: Runs, query: URLSearchParams): Markup => {
  if (runs.length === 0) {
    return html`<p class="empty">There are no runs here yet. As soon as a training begins, it is shown.</p>`
  }
  const choice = choiceOf(query)
  const chosen = choose(runs, choice)
  const colours = coloursOf(chosen.curves)
  const full =
    runs.length < MOST ? NOTHING : html`<p class="note">The first ${MOST} runs of the folder are shown.</p>`
  return html`${table(choice, chosen, colours)}${full}${overlay(colours)}`
}

export const listPage = (root: string, runs: Runs, query: URLSearchParams): string =>
  framed(
    "Runs",
    html`<h1>Runs<small>${root}</small></h1>`,
    html`<form id="choice" method="get" action="/"><input type="search" id="q" name="q" value="${choiceOf(query).words}" placeholder="Filter" aria-label="filter" aria-describedby="hint" autocomplete="off" spellcheck="false"><noscript><button>Show</button></noscript>
<p class="note" id="hint">A name, recipe, data set, state or key such as <code>train.epochs=5</code>; <code>accuracy&gt;90</code>, <code>time&lt;10</code> minutes. Up to ${MOST_CURVES} curves.</p></form>`,
    listPart(runs, query)
  )

export const onePage = (run: WatchedRun): string =>
  framed(
    run.name,
    html`<div><a class="back" href="/">← All runs</a><h1>${run.name}</h1></div>`,
    NOTHING,
    runPage(run)
  )
