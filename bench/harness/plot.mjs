/** The ratios of a file of results as a picture: a point for each peer of each row, on a logarithmic axis. */
import sharp from "sharp"
import { peerTitles } from "./contest.mjs"
import { number } from "./tables.mjs"

const COLOURS = {
  torch: "#2a78d6",
  "torch-channels-last": "#7ab0ec",
  "torch-compile": "#8a4fc4",
  tensorflow: "#e0602a",
  tfjs: "#1f7a4d",
  torchvision: "#b8860b"
}

const LABELS = 410
const WIDTH = 620
const RIGHT = 70
const LANE = 16
const GAP = 14
const TOP = 74
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;")

const text = (x, y, content, attributes = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`

const line = (x1, y1, x2, y2, attributes) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${attributes}/>`

/** Peers of a row that were measured, by name. */
const lanesOf = ({ peers }) => Object.entries(peers).filter(([, { speed }]) => speed !== undefined)

/** A function from a ratio to its place, for all ratios of the rows and 1. */
const axis = (rows) => {
  const values = [1, ...rows.flatMap((row) => lanesOf(row).flatMap(([, { speed }]) => speed.range))]
  const low = Math.log(Math.min(...values) / 1.15)
  const high = Math.log(Math.max(...values) * 1.15)
  const place = (ratio) => LABELS + (WIDTH * (Math.log(ratio) - low)) / (high - low)
  return { place, ticks: TICKS.filter((tick) => Math.log(tick) >= low && Math.log(tick) <= high) }
}

/** The range as a thin line, the quartiles as a thick one, the median as a point with its value. */
const lane = (place, y, colour, { median, quartiles, range }) =>
  [
    line(place(range[0]), y, place(range[1]), y, `stroke="${colour}" stroke-width="1.5"`),
    line(
      place(quartiles[0]),
      y,
      place(quartiles[1]),
      y,
      `stroke="${colour}" stroke-width="6" opacity="0.45"`
    ),
    `<circle cx="${place(median).toFixed(1)}" cy="${y.toFixed(1)}" r="4.5" fill="${colour}"/>`,
    text(place(range[1]) + 9, y + 4, number(median), `fill="${colour}" font-size="12"`)
  ].join("")

const legend = (names) => {
  let x = 16
  return names
    .map((name) => {
      const item = `<circle cx="${x + 5}" cy="46" r="4.5" fill="${COLOURS[name]}"/>${text(x + 15, 50, peerTitles[name])}`
      x += 30 + 6.2 * peerTitles[name].length
      return item
    })
    .join("")
}

/** The picture as SVG; undefined where no row was measured beside a peer. */
const svg = ({ rows }) => {
  const shown = rows.filter((row) => lanesOf(row).length > 0)
  if (shown.length === 0) return undefined
  const { place, ticks } = axis(shown)
  const parts = []
  let y = TOP
  for (const row of shown) {
    const lanes = lanesOf(row)
    const height = LANE * lanes.length
    parts.push(text(16, y + height / 2 + 4, row.title))
    for (const [i, [name, { speed }]] of lanes.entries())
      parts.push(lane(place, y + LANE * (i + 0.5), COLOURS[name], speed))
    y += height + GAP
  }
  const grid = ticks.map((tick) => {
    const stroke = tick === 1 ? 'stroke="#1b1b19" stroke-width="1.5"' : 'stroke="#e3e2de"'
    return `${line(place(tick), TOP - 8, place(tick), y, stroke)}${text(place(tick), y + 18, String(tick), 'text-anchor="middle"')}`
  })
  const names = Object.keys(COLOURS).filter((name) => shown.some(({ peers }) => peers[name]?.speed))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${LABELS + WIDTH + RIGHT}" height="${y + 32}" font-family="sans-serif" font-size="13" fill="#1b1b19">
<rect width="100%" height="100%" fill="#ffffff"/>
${text(16, 24, "Images per second, ours divided by the peer's (right of 1: ours is faster)", 'font-size="15" font-weight="bold"')}
${legend(names)}${grid.join("")}${parts.join("")}
</svg>`
}

/** Writes the picture as PNG, if there is something to show. */
export const writePlot = async (results, file) => {
  const picture = svg(results)
  if (picture === undefined) return
  await sharp(Buffer.from(picture), { density: 144 }).png().toFile(file)
}
