/** Times of steps, and the memory of a process. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import { median } from "./statistics.mjs"

/** Peak resident memory of this process since it was started as this program, in MiB. */
export const peakMiB = () =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024

/** Seconds of each step after the warm-up. `step` is given the number of steps before, and gives an Effect. */
export const timeSteps = Effect.fnUntraced(function* (step, { seconds, steps, warmup }) {
  let done = 0
  for (; done < warmup; done++) yield* step(done)
  const times = []
  const start = performance.now()
  while (times.length < steps || performance.now() - start < 1000 * seconds) {
    const before = performance.now()
    yield* step(done++)
    times.push((performance.now() - before) / 1000)
  }
  return times
})

/** What a process that measured steps says: images per second by the median step, and its peak memory. */
export const summary = (times, { batch }) => ({
  imagesPerSecond: batch / median(times),
  steps: times.length,
  peakMiB: peakMiB()
})
