/** Ours and one peer, which wait for one another and measure in turn. */
import { setTimeout } from "node:timers/promises"
import { processorSeconds } from "./others.mjs"
import { spread } from "./statistics.mjs"

/** Milliseconds before each turn, in which threads that still look for work go to sleep. */
const PAUSE = 300

/** Where the waiting process takes more of a core than this, it is said. */
const IDLE = 0.02

const sum = (values) => values.reduce((a, b) => a + b, 0)

/** Spread of the images per second of some turns. */
export const speedsOf = (turns) => spread(turns.map(({ imagesPerSecond }) => imagesPerSecond))

/** Has one process measure; `waited` is the processor time that another, if any, takes meanwhile. */
export const takeTurn = async (taker, other) => {
  const timeOfOther = () => (other === undefined ? 0 : processorSeconds(other.pid))
  await setTimeout(PAUSE)
  const [start, before] = [performance.now(), timeOfOther()]
  const turn = await taker.measure()
  return { ...turn, seconds: (performance.now() - start) / 1000, waited: timeOfOther() - before }
}

const OTHER = { ours: "theirs", theirs: "ours" }

/**
 * Turns of two processes in rounds, each round begun by the other one. Gives the turns of both, or why the peer
 * failed; rejects where ours does.
 */
const takeTurns = async (processes, { name, rounds, say }) => {
  const turns = { ours: [], theirs: [] }
  for (let round = 0; round < rounds; round++) {
    for (const who of round % 2 === 0 ? ["ours", "theirs"] : ["theirs", "ours"]) {
      try {
        turns[who].push(await takeTurn(processes[who], processes[OTHER[who]]))
      } catch (error) {
        if (who === "ours") throw error
        return { unavailable: error.message }
      }
    }
    const [ours, theirs] = [turns.ours, turns.theirs].map((of) => of[round].imagesPerSecond)
    say(
      `  ${name} ${round + 1}/${rounds}  ${ours.toPrecision(4)} beside ${theirs.toPrecision(4)} images/s, ratio ${(ours / theirs).toPrecision(3)}`
    )
  }
  try {
    return { ...turns, peakMiB: await processes.theirs.peak() }
  } catch (error) {
    return { unavailable: error.message }
  }
}

/** What the turns of both come to. */
const compared = ({ ours, peakMiB, theirs }) => {
  const all = [...ours, ...theirs]
  return {
    measured: ours.map((one, round) => ({ ours: one, theirs: theirs[round] })),
    ours: speedsOf(ours),
    theirs: speedsOf(theirs),
    speed: spread(ours.map((one, round) => one.imagesPerSecond / theirs[round].imagesPerSecond)),
    peakMiB,
    coresOfWaiting: sum(all.map(({ waited }) => waited)) / sum(all.map(({ seconds }) => seconds))
  }
}

/**
 * Starts a peer, has it and ours measure in turn, and ends it. Where it fails, `unavailable` says why. Rejects where
 * ours fails, or has another number of parameters.
 */
export const duel = async (ours, startTheirs, options) => {
  const { name, say } = options
  let theirs
  try {
    theirs = await startTheirs()
  } catch (error) {
    return { unavailable: error.message }
  }
  try {
    const [a, b] = [ours.facts.parameters, theirs.facts.parameters]
    if (a !== b) throw new Error(`${a} parameters beside ${b} of ${name}'s`)
    const turns = await takeTurns({ ours, theirs }, options)
    if (turns.unavailable !== undefined) return turns
    const result = compared(turns)
    if (result.coresOfWaiting > IDLE) {
      say(`  ${name}: the one that waited took ${result.coresOfWaiting.toFixed(2)} cores`)
    }
    return result
  } finally {
    await theirs.close()
  }
}
