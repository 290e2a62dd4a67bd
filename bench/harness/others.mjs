/** How busy other programs keep the machine while something is measured. */
import { readFileSync } from "node:fs"

/** Of the times in /proc, in all of Linux's usual builds. */
const TICKS_PER_SECOND = 100

const sum = (values) => values.reduce((a, b) => a + b, 0)

/** Ticks of processor time that a process has taken, and those of its children that have ended. */
const ticksOf = (pid) => {
  // The name, in parentheses, may hold spaces; the times are 11 fields on.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")
    .map(Number)
  return { own: fields[11] + fields[12], ofChildren: fields[13] + fields[14] }
}

/** Seconds of processor time that a process has taken; NaN where it has ended. */
export const processorSeconds = (pid) => {
  try {
    return ticksOf(pid).own / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

/**
 * Ticks that the machine was busy or its cores were taken away, and those of them of this process, of its children that
 * have ended and of those that are named.
 */
const ticks = (running) => {
  const [user, nice, system, , , irq, softirq, steal] = /^cpu +(.*)$/m
    .exec(readFileSync("/proc/stat", "utf8"))[1]
    .split(" ")
    .map(Number)
  const { ofChildren, own } = ticksOf("self")
  return {
    busy: sum([user, nice, system, irq, softirq, steal]),
    own: own + ofChildren + sum(running.map((pid) => ticksOf(pid).own))
  }
}

/**
 * A function that gives how many cores others have kept busy, on average, since it was made. Children of this process
 * are no others, but have to have ended by then, or to be among those that are `running` from the start to the end.
 */
export const watchOthers = (running = []) => {
  const [start, before] = [performance.now(), ticks(running)]
  return () => {
    const seconds = (performance.now() - start) / 1000
    const after = ticks(running)
    const others = after.busy - before.busy - (after.own - before.own)
    return Math.max(0, others / TICKS_PER_SECOND / seconds)
  }
}
