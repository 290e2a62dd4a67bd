/** Steps of one of our networks, in turns: `node bench/harness/ours.mjs SPEC`, SPEC being JSON. */
import * as Effect from "effect/Effect"
import { compile, on } from "./network.mjs"
import { peakMiB } from "./timing.mjs"
import { takeTurns } from "./turns.mjs"

const spec = { device: "cpu", ...JSON.parse(process.argv[2]) }

await on(
  spec.device,
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
