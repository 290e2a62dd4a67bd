/** Steps of one of our networks, in turns: `node bench/harness/ours.mjs SPEC`, SPEC being JSON. */
import * as Effect from "effect/Effect"
import { compile, onCpu } from "./network.mjs"
import { peakMiB } from "./timing.mjs"
import { takeTurns } from "./turns.mjs"

const spec = JSON.parse(process.argv[2])

await onCpu(
  Effect.gen(function* () {
    const { compileSeconds, network, operations, step } = yield* compile(spec)
    const compiledMiB = peakMiB()
    const { multiplyAdds, parameters } = network
    yield* takeTurns(step, spec, () => ({
      parameters,
      multiplyAdds,
      operations,
      compileSeconds,
      compiledMiB
    }))
  })
)
