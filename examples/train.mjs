/**
 * The quickstart recipe, changed and trained from a program.
 *
 *   node examples/train.mjs
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Data, Device, Experiment, Report, recipes, Train } from "shakedrop"

const program = Effect.gen(function* () {
  const { experiment } = recipes.quickstart
  const changed = yield* Experiment.decodeExperiment({
    ...experiment,
    train: { ...experiment.train, epochs: 4 }
  })
  const layers = Layer.mergeAll(
    Device.Device.layer("auto"),
    Data.Dataset.layer(changed.data),
    Train.RunFolder.create({ name: "from-a-program", root: "runs" })
  )
  const options = { command: "node examples/train.mjs" }
  yield* Effect.gen(function* () {
    const trained = yield* Train.train(changed, options)
    const { accuracy, images } = trained.result
    console.log(`${(100 * accuracy).toFixed(2)} % of ${images} test images`)
    console.log(`report  ${yield* Report.writeReport(trained)}`)
  }).pipe(Effect.provide(layers))
})

await Effect.runPromise(program)
