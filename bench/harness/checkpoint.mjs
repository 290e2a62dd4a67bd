/**
 * Saving and loading the state of a network's training, in a process of its own: `node bench/harness/checkpoint.mjs
 * MODEL FOLDER`, MODEL being JSON. Both include the hash; saving includes the flush to the disk.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Checkpoints } from "../../dist/Checkpoint.js"
import { makeNetwork } from "../../dist/Model.js"
import { initialState, PLAIN_STEP } from "../../dist/Train/Step/Step.js"
import { peakMiB } from "./timing.mjs"

const [model, folder] = process.argv.slice(2)
const network = makeNetwork(JSON.parse(model), { classes: 10, size: { height: 32, width: 32 } })
const tensors = initialState(network, network.init(1), PLAIN_STEP)
const bytes = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0)

const program = Effect.gen(function* () {
  const { find, save } = yield* Checkpoints
  const start = performance.now()
  yield* save({ step: 1, tensors, counters: {} }, { keep: 1 })
  const saved = performance.now()
  const { checkpoint } = yield* find("latest")
  const loaded = performance.now()
  if (Option.isNone(checkpoint)) throw new Error("the checkpoint that was saved is not found")
  return { save: (saved - start) / 1000, load: (loaded - saved) / 1000 }
})

const seconds = await Effect.runPromise(program.pipe(Effect.provide(Checkpoints.layer(folder))))
console.log(JSON.stringify({ seconds, mebibytes: bytes / 2 ** 20, peakMiB: peakMiB() }))
