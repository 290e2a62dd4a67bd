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
  const options = { command: "node examples/train.mjs", whenTrained: Report.writeReport }
  const { directory, result } = yield* Effect.provide(Train.train(changed, options), layers)
  console.log(`${(100 * result.accuracy).toFixed(2)} % of ${result.images} test images`)
  console.log(`report  ${directory}/report.html`)
})

await Effect.runPromise(program)
