/** How busy other programs keep the machine while something is measured. */
import { readFileSync } from "node:fs"

/** Of the times in /proc, in all of Linux's usual builds. */
const TICKS_PER_SECOND = 100

const sum = (values) => values.reduce((a, b) => a + b, 0)

/** Ticks that the machine was busy or its cores were taken away, and those of them of this process and its children. */
const ticks = () => {
  const [user, nice, system, , , irq, softirq, steal] = /^cpu +(.*)$/m
    .exec(readFileSync("/proc/stat", "utf8"))[1]
    .split(" ")
    .map(Number)
  // The name, in parentheses, may hold spaces; the times of the process and of its ended children are 11 fields on.
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")
  return { busy: sum([user, nice, system, irq, softirq, steal]), own: sum(fields.slice(11, 15).map(Number)) }
}

/** A function that gives how many cores others have kept busy, on average, since it was made. */
export const watchOthers = () => {
  const [start, before] = [performance.now(), ticks()]
  return () => {
    const seconds = (performance.now() - start) / 1000
    const after = ticks()
    const others = after.busy - before.busy - (after.own - before.own)
    return Math.max(0, others / TICKS_PER_SECOND / seconds)
  }
}
