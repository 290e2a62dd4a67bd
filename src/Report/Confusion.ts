/** Which classes are taken for which: the confusion matrix, and its largest entries in words. */
import { count, html, type Markup, NOTHING, percent, px } from "./Page/Html.ts"
import { numbers } from "./Page/Numbers.ts"

type Matrix = ReadonlyArray<ReadonlyArray<number>>

export interface Confused {
  readonly label: number
  readonly predicted: number
  readonly images: number
  /** Of the images of the true class. */
  readonly share: number
}

/** The entries off the diagonal that are not zero, the largest share first. */
export const confusedPairs = (confusion: Matrix): ReadonlyArray<Confused> =>
  confusion
    .flatMap((row, label) => {
      const total = row.reduce((sum, images) => sum + images, 0)
      return row.flatMap((images, predicted) =>
        predicted === label || images === 0 ? [] : [{ label, predicted, images, share: images / total }]
      )
    })
    .sort((a, b) => b.share - a.share)

/** More classes than this are drawn without numbers and with small names; more than the second, without names. */
const NUMBERED = 25
const NAMED = 130

/** How many pairs are listed, and characters of a name beside the matrix. */
const PAIRS = 12
const LONGEST = 14
/** How many pairs the table has. */
const ROWS = 200

const clip = (name: string): string => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name)

const matrix = (confusion: Matrix, names: ReadonlyArray<string>, largest: number): Markup => {
  const classes = names.length
  const numbered = classes <= NUMBERED
  const named = classes <= NAMED
  const cell = numbered
    ? Math.max(34, Math.min(56, Math.round(440 / classes)))
    : Math.max(2, Math.min(11, 1100 / classes))
  const font = numbered ? 13 : 11
  const label = named ? Math.max(...names.map((name) => clip(name).length)) * font * 0.58 + 12 : 4
  const top = numbered ? label * 0.75 + 8 : label
  const side = classes * cell
  const cells = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, images) => sum + images, 0)
    return row.flatMap((images, predicted) => {
      if (images === 0) return []
      const share = images / total
      const right = truth === predicted
      // The root lets a few images be seen beside many.
      const opacity = right ? 0.1 + 0.4 * share : 0.12 + 0.68 * Math.sqrt(share / largest)
      const [x, y] = [px(label + predicted * cell), px(top + truth * cell)]
      const gap = numbered ? 1 : 0
      return [
        html`<rect class="${right ? "right" : "wrong"}" x="${x + gap}" y="${y + gap}" width="${px(cell - 2 * gap)}" height="${px(cell - 2 * gap)}" fill-opacity="${px(opacity)}"><title>${names[truth]} → ${names[predicted]}: ${images} of ${total} (${percent(share, 1)})</title></rect>${
          numbered
            ? html`<text class="${right ? "correct" : "number"}" x="${px(x + cell / 2)}" y="${px(y + cell / 2 + 4)}">${images}</text>`
            : NOTHING
        }`
      ]
    })
  })
  const rows = names.map(
    (name, k) =>
      html`<text x="${px(label - 6)}" y="${px(top + (k + 0.5) * cell + font * 0.35)}" text-anchor="end">${clip(name)}<title>${name}</title></text>`
  )
  const columns = names.map((name, k) => {
    const [x, y] = [px(label + (k + 0.5) * cell + font * 0.3), px(top - 5)]
    return html`<text transform="translate(${x} ${y}) rotate(${numbered ? -45 : -90})">${clip(name)}<title>${name}</title></text>`
  })
  // Room for the last name, which is written aslant.
  const width = label + side + (numbered ? label * 0.6 : 4)
  return html`<div class="scroll" tabindex="0" role="group" aria-label="confusion matrix, scrolls sideways where it is wider than the screen"><svg class="matrix" viewBox="0 0 ${px(width)} ${px(top + side + 4)}" style="min-width:${px(width * (numbered ? 0.85 : 1))}px;font-size:${font}px" role="img" aria-label="confusion matrix">
<rect class="frame" x="${px(label)}" y="${px(top)}" width="${px(side)}" height="${px(side)}"/>${cells}${named ? [...rows, ...columns] : NOTHING}</svg></div>`
}

/** Rows are true classes, columns predicted ones. */
export const confusionSection = (confusion: Matrix, names: ReadonlyArray<string>): Markup => {
  const pairs = confusedPairs(confusion)
  const largest = pairs[0]?.share ?? 1
  const list = pairs.slice(0, PAIRS).map(
    ({ images, label, predicted, share }) => html`<li style="--share:${px((100 * share) / largest)}%">
<span>${names[label]} → ${names[predicted]}</span><b>${percent(share, 1)}</b><small>${count(images)}</small></li>`
  )
  const rows = pairs
    .slice(0, ROWS)
    .map(
      ({ images, label, predicted, share }) =>
        html`<tr><th scope="row">${names[label]}</th><td>${names[predicted]}</td><td>${count(images)}</td><td>${percent(share, 1)}</td></tr>`
    )
  const table = numbers(["true class", "prediction", "images", "of the true class"], rows)
  return html`<section><h2>Confusion</h2><div class="${names.length > NUMBERED ? "confusion large" : "confusion"}"><div>${matrix(confusion, names, largest)}
<p class="note">Rows are true classes, columns predicted ones. Mistakes are shaded by the root of their share of the true class, relative to the largest.</p>${
    pairs.length === 0 ? NOTHING : table
  }</div>
<div><h3>Most often confused</h3>${
    pairs.length === 0
      ? html`<p class="note">Nothing: every image is classified right.</p>`
      : html`<ol class="pairs">${list}</ol><p class="note">True class → prediction: share of the true class's images, and how many.</p>`
  }</div></div></section>`
}
