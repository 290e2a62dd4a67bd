/**
 * The share of a step's time in which a convolution or a matrix product runs, whatever else runs beside it, after a few
 * other steps: `node bench/harness/convolving.mjs SPEC`, SPEC being JSON.
 */
import * as Effect from "effect/Effect"
import { compile, measureOnCpu } from "./network.mjs"
import { median } from "./statistics.mjs"

const spec = JSON.parse(process.argv[2])

const HEAVY = /Conv2D|MatMul/

/** Microseconds in which at least one of the events runs; they are in the order of their starts. */
const covered = (events) => {
  let [sum, until] = [0, Number.NEGATIVE_INFINITY]
  for (const { duration, start } of events) {
    const end = start + duration
    if (end > until) sum += end - Math.max(start, until)
    until = Math.max(end, until)
  }
  return sum
}

await measureOnCpu(
  Effect.gen(function* () {
    const { profile, step } = yield* compile(spec)
    for (let i = 0; i < spec.warmup; i++) yield* step(i)
    const shares = []
    for (let i = 0; i < spec.steps; i++) {
      const events = yield* profile(spec.warmup + i)
      const end = Math.max(...events.map(({ duration, start }) => start + duration))
      shares.push(covered(events.filter(({ op }) => HEAVY.test(op))) / end)
    }
    return median(shares)
  })
)
