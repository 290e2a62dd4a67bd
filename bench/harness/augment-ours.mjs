/** One of our pipelines on one thread, in turns: `node bench/harness/augment-ours.mjs SPEC`, SPEC being JSON. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import { asFloat32, fromRecords, makePass, pipelines } from "./augmentation.mjs"
import { takeTurns } from "./turns.mjs"

const spec = JSON.parse(process.argv[2])

await Effect.runPromise(
  Effect.gen(function* () {
    const pixels = fromRecords(readFileSync(spec.file))
    const options = { pipeline: pipelines[spec.pipeline], repeats: 1, use: asFloat32, workers: 0 }
    yield* takeTurns(yield* makePass(pixels, options), spec, () => ({}))
  }).pipe(Effect.scoped)
)
