/** Results as Markdown. */
import { peerTitles } from "./contest.mjs"

export const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** Three significant digits, or all those before the point. */
export const number = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))

/** A median with its quartiles. */
const withSpread = ({ median, quartiles }) => `${number(median)} (${quartiles.map(number).join(" to ")})`

const contestRows = ({ ours, peers, title }) =>
  Object.entries(peers).map(([name, peer]) =>
    peer.unavailable === undefined
      ? [
          title,
          peerTitles[name],
          number(peer.ours.median),
          number(peer.theirs.median),
          withSpread(peer.speed),
          `${number(peer.oursPeakMiB)} / ${number(peer.peakMiB)}`,
          number(peer.memory),
          peer.coresOfOthers.toFixed(2)
        ]
      : [
          title,
          peerTitles[name],
          number(ours.imagesPerSecond.median),
          `not measured: ${peer.unavailable}`,
          "",
          "",
          "",
          peer.coresOfOthers.toFixed(2)
        ]
  )

const ownRows = ({ coresOfOthers, rounds, seconds, title }) =>
  Object.entries(seconds).map(([part, value]) => [
    title,
    part,
    withSpread(value),
    rounds,
    coresOfOthers.toFixed(2)
  ])

/** The tables of a file of results. */
export const tables = ({ machine, own, rows, versions }) => {
  const { cores, features, memoryGiB, model } = machine
  const parts = [
    `${model}, ${cores} cores (${features.join(", ")}), ${memoryGiB} GiB; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`
  ]
  if (rows.length > 0) {
    const head = [
      "what",
      "beside",
      "ours, images/s",
      "theirs",
      "ratio (quartiles)",
      "peak MiB, ours / theirs",
      "ratio",
      "cores busy with others"
    ]
    parts.push(table(head, rows.flatMap(contestRows)))
  }
  if (own.length > 0) {
    const head = ["what", "part", "seconds (quartiles)", "rounds", "cores busy with others"]
    parts.push(table(head, own.flatMap(ownRows)))
  }
  return parts.join("\n\n")
}
