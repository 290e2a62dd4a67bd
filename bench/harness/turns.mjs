/**
 * The side of a program that stays and takes turns: it warms up, says so in a line of JSON, and then answers each line
 * of its standard input, `measure` or `peak`, with another, until the input ends. bench/peers/workload.py does the same.
 */
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import { median } from "./statistics.mjs"
import { peakMiB, timeSteps } from "./timing.mjs"

const say = (facts) => console.log(JSON.stringify(facts))

/**
 * Takes turns of `step`, which is given the number of steps before, and gives an Effect. `facts` is a function, called
 * after the warm-up with the seconds of the first step.
 */
export const takeTurns = Effect.fnUntraced(function* (step, spec, facts) {
  let done = 0
  const next = () => step(done++)
  const [firstStepSeconds, ...warm] = yield* timeSteps(next, { seconds: 0, steps: 1 + spec.warmup })
  // One step is enough where it takes as long as a turn has to; a step that something else held up does not tell.
  const turn = Math.min(...warm) < spec.seconds ? spec : { ...spec, steps: 1 }
  say({ ...facts(), firstStepSeconds })

  const questions = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  for (;;) {
    const question = yield* Effect.promise(() => questions.next())
    if (question.done) return
    if (question.value === "peak") {
      say({ peakMiB: peakMiB() })
    } else {
      const times = yield* timeSteps(next, turn)
      say({ imagesPerSecond: spec.batch / median(times), steps: times.length })
    }
  }
})
