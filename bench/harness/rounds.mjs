/** Measurements in turn, and what they come to. */
import { unavailable } from "./contest.mjs"
import { duel, speedsOf, takeTurn } from "./duel.mjs"
import { watchOthers } from "./others.mjs"
import { spread } from "./statistics.mjs"

/** Starts ours, does something with it, and ends it. */
const withOurs = async (row, f) => {
  const ours = await row.ours()
  try {
    return await f(ours)
  } finally {
    await ours.close()
  }
}

/**
 * Measures a row beside one peer after another, so that no more than ours and one peer take memory. A peer that fails
 * is left out, and its cell says why; where ours fails, it rejects.
 */
export const measureRow = async (row, { interpreters, names, rounds, say }) => {
  const { id, title } = row
  return await withOurs(row, async (ours) => {
    const beside = async (name) => {
      const othersSince = watchOthers([ours.pid])
      const reason = unavailable(name, interpreters)
      const result =
        reason === undefined
          ? await duel(ours, () => row.theirs(name), { name, rounds, say })
          : { unavailable: reason }
      if (result.unavailable !== undefined) say(`  ${name}: ${result.unavailable}`)
      return { ...result, rounds, coresOfOthers: othersSince() }
    }
    const peers = {}
    for (const name of names) peers[name] = await beside(name)
    const turns = Object.values(peers).flatMap(({ measured = [] }) => measured.map((round) => round.ours))
    if (turns.length === 0) for (let round = 0; round < rounds; round++) turns.push(await takeTurn(ours))
    const peakMiB = await ours.peak()
    const withMemory = (peer) =>
      peer.unavailable === undefined
        ? { ...peer, oursPeakMiB: peakMiB, memory: peakMiB / peer.peakMiB }
        : peer
    return {
      id,
      title,
      ours: { imagesPerSecond: speedsOf(turns), peakMiB },
      peers: Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, withMemory(peer)]))
    }
  })
}

/** Measures a row without a peer: spreads of the seconds of each of its parts. */
export const measureOwn = async (row, { rounds, say }) => {
  const measured = []
  const othersSince = watchOthers()
  for (let round = 0; round < rounds; round++) {
    measured.push(await row.measure())
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
