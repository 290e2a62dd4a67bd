/** Programs that stay and take turns (turns.mjs in Node, bench/peers/workload.py in Python), from outside. */
import { createInterface } from "node:readline"
import { inNode, launch } from "./child.mjs"

/**
 * Starts a program and waits until it has warmed up. `facts` are what it says of itself, `measure` has it take a turn,
 * `peak` asks for its peak memory in MiB, `close` ends it. All reject with one line that says what went wrong.
 */
export const startResident = async (command, args, environment) => {
  const { child, ended, inTime, kill } = launch(command, args, { environment, stdin: "pipe" })
  // Where it is gone, the missing answer says why.
  child.stdin.on("error", () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    for (;;) {
      const { done, value } = await lines.next()
      if (done) {
        await ended
        throw new Error("ended without an answer")
      }
      // Libraries may print lines of their own.
      if (value.startsWith("{")) return JSON.parse(value)
    }
  }
  const ask = (word) => {
    child.stdin.write(`${word}\n`)
    return inTime(answer())
  }
  const close = async () => {
    kill()
    await ended.catch(() => {})
  }
  try {
    const facts = await inTime(answer())
    const peak = async () => (await ask("peak")).peakMiB
    return { pid: child.pid, facts, measure: () => ask("measure"), peak, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** One turn of a program in Node and nothing more: what it says of itself, of the turn, and of its peak memory. */
export const measureOnce = async (...program) => {
  const resident = await startResident(...inNode(...program))
  try {
    return { ...resident.facts, ...(await resident.measure()), peakMiB: await resident.peak() }
  } finally {
    await resident.close()
  }
}
