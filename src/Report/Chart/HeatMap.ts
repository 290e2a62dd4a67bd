/** A number for each pair of members as a table whose cells are shaded. */
import { html, type Markup, NOTHING, px } from "../Page/Html.ts"

export interface HeatMapOptions {
  readonly title: string
  readonly note: string
  /** Names of rows and of columns; their numbers from 1 stand at the table's edges. */
  readonly names: ReadonlyArray<string>
  /** [row][column]; null where there is no value. */
  readonly values: ReadonlyArray<ReadonlyArray<number | null>>
  /** The size of a value that has the full shade. */
  readonly largest: number
  readonly format: (value: number) => string
}

export const heatMap = ({ format, largest, names, note, title, values }: HeatMapOptions): Markup => {
  const head = names.map(
    (name, m) => html`<th scope="col" title="${name}" aria-label="${name}">${m + 1}</th>`
  )
  const cell = (value: number | null, row: number, column: number): Markup => {
    if (value === null) return html`<td title="${names[row]}, ${names[column]}">–</td>`
    const shade = largest > 0 ? Math.min(100, (100 * Math.abs(value)) / largest) : 0
    return html`<td${value < 0 ? html` class="below"` : NOTHING} style="--shade:${px(0.8 * shade)}%" title="${names[row]}, ${names[column]}">${format(value)}</td>`
  }
  const rows = values.map(
    (row, r) =>
      html`<tr><th scope="row" title="${names[r]}" aria-label="${names[r]}">${r + 1}</th>${row.map((value, column) => cell(value, r, column))}</tr>`
  )
  return html`<figure class="chart"><figcaption><h3>${title}</h3></figcaption>
<div class="scroll" tabindex="0" role="group" aria-label="${title} of each two members"><table class="heat"><thead><tr><th></th>${head}</tr></thead><tbody>${rows}</tbody></table></div>
<p class="note">${note}</p></figure>`
}
