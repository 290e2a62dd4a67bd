/** Times of steps, and the memory of a process. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"

/** Peak resident memory of this process since it was started as this program, in MiB. */
export const peakMiB = () =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024

/** Seconds of each of at least so many steps that take at least so many seconds together. `step` gives an Effect. */
export const timeSteps = Effect.fnUntraced(function* (step, { seconds, steps }) {
  const times = []
  const start = performance.now()
  while (times.length < steps || performance.now() - start < 1000 * seconds) {
    const before = performance.now()
    yield* step()
    times.push((performance.now() - before) / 1000)
  }
  return times
})
