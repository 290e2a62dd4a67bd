/** What a drawing says, in a table that is folded away: for keyboards and screen readers, and to copy from. */
import { html, type Markup } from "./Html.ts"

/** `rows` are table rows, a cell for each of the columns. */
export const numbers = (columns: ReadonlyArray<string>, rows: ReadonlyArray<Markup>): Markup =>
  html`<details class="numbers"><summary>Numbers</summary><div class="scroll" tabindex="0" role="group" aria-label="numbers"><table><thead><tr>${columns.map(
    (name) => html`<th scope="col">${name}</th>`
  )}</tr></thead><tbody>${rows}</tbody></table></div></details>`
