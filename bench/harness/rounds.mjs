/** Measurements in turn, and what they come to. */

import { unavailable } from "./contest.mjs"
import { watchOthers } from "./others.mjs"
import { spread } from "./statistics.mjs"

/** The items from `from` on, then those before it. */
const rotated = (items, from) => {
  const start = from % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

const sameNetwork = (row, ours, theirs, peer) => {
  if (ours.parameters !== theirs.parameters) {
    throw new Error(`${row.id}: ${ours.parameters} parameters beside ${theirs.parameters} of ${peer}'s`)
  }
}

/** Ours divided by a peer's, round by round. */
const ratios = (ours, theirs, key) => spread(ours.map((one, round) => one[key] / theirs[round][key]))

/**
 * Measures a row in rounds: in each, ours and every peer once, beginning with another one each time. A peer that
 * fails is left out from there on, and its cell says why.
 */
export const measureRow = async (row, { interpreters, names, rounds, say }) => {
  const failures = {}
  const othersSince = watchOthers()
  const measured = Object.fromEntries(["ours", ...names].map((name) => [name, []]))
  for (const name of names) {
    const reason = unavailable(name, interpreters)
    if (reason !== undefined) failures[name] = reason
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(["ours", ...names], round)) {
      if (name in failures) continue
      try {
        measured[name].push(await (name === "ours" ? row.ours() : row.theirs(name)))
        const { imagesPerSecond } = measured[name].at(-1)
        say(`  round ${round + 1}/${rounds}  ${name}  ${imagesPerSecond.toPrecision(4)} images/s`)
      } catch (error) {
        if (name === "ours") throw new Error(`${row.id} cannot be measured: ${error.message}`)
        failures[name] = error.message
        say(`  round ${round + 1}/${rounds}  ${name}  ${error.message}`)
      }
    }
    for (const name of names) {
      if (!(name in failures)) sameNetwork(row, measured.ours[0], measured[name][0], name)
    }
  }
  const { ours } = measured
  return {
    id: row.id,
    title: row.title,
    rounds,
    coresOfOthers: othersSince(),
    ours: { measured: ours, imagesPerSecond: spread(ours.map((one) => one.imagesPerSecond)) },
    peers: Object.fromEntries(
      names.map((name) => [
        name,
        name in failures
          ? { unavailable: failures[name] }
          : {
              measured: measured[name],
              imagesPerSecond: spread(measured[name].map((one) => one.imagesPerSecond)),
              speed: ratios(ours, measured[name], "imagesPerSecond"),
              memory: ratios(ours, measured[name], "peakMiB")
            }
      ])
    )
  }
}

/** Measures a row without a peer: spreads of the seconds of each of its parts. */
export const measureOwn = async (row, { rounds, say }) => {
  const measured = []
  const othersSince = watchOthers()
  for (let round = 0; round < rounds; round++) {
    try {
      measured.push(await row.measure())
    } catch (error) {
      throw new Error(`${row.id} cannot be measured: ${error.message}`)
    }
    const parts = Object.entries(measured.at(-1).seconds).map(
      ([part, value]) => `${part} ${value.toFixed(3)} s`
    )
    say(`  round ${round + 1}/${rounds}  ${parts.join("  ")}`)
  }
  const parts = Object.keys(measured[0].seconds)
  return {
    id: row.id,
    title: row.title,
    rounds,
    coresOfOthers: othersSince(),
    measured,
    seconds: Object.fromEntries(
      parts.map((part) => [part, spread(measured.map(({ seconds }) => seconds[part]))])
    )
  }
}
