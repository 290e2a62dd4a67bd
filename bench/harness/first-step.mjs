/**
 * A training of the first recipe, from an empty process to the end of its first step, where the process ends:
 * `node bench/harness/first-step.mjs FOLDER`. It loads and does what `shakedrop train` does. Time it from outside.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Dataset } from "../../dist/Data.js"
import { Device } from "../../dist/Device.js"
import { Events } from "../../dist/Events.js"
import { decodeExperiment } from "../../dist/Experiment.js"
import { findRecipe } from "../../dist/Recipe.js"
import { RunFolder, train } from "../../dist/Train.js"

const [directory] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const experiment = yield* decodeExperiment((yield* findRecipe("quickstart")).experiment)
  const layers = Layer.mergeAll(
    Device.layer("cpu"),
    Dataset.layer(experiment.data),
    RunFolder.create({ directory })
  )
  yield* train(experiment, { command: "bench", workers: 0 }).pipe(
    Effect.provideService(Events, { publish: ({ _tag }) => _tag === "Step" && process.exit(0) }),
    Effect.scoped,
    Effect.provide(layers)
  )
})

await Effect.runPromise(program)
