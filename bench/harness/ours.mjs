/** Steps of one of our networks, in a process of its own: `node bench/harness/ours.mjs SPEC`, SPEC being JSON. */
import * as Effect from "effect/Effect"
import { compile, measureOnCpu } from "./network.mjs"
import { peakMiB, summary, timeSteps } from "./timing.mjs"

const spec = JSON.parse(process.argv[2])

await measureOnCpu(
  Effect.gen(function* () {
    const { compileSeconds, network, operations, step } = yield* compile(spec)
    const compiledMiB = peakMiB()
    const before = performance.now()
    yield* step(0)
    const firstStepSeconds = (performance.now() - before) / 1000
    const times = yield* timeSteps(step, spec)
    const { multiplyAdds, parameters } = network
    return {
      ...summary(times, spec),
      parameters,
      multiplyAdds,
      operations,
      compileSeconds,
      compiledMiB,
      firstStepSeconds
    }
  })
)
