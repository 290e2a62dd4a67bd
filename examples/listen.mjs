/**
 * A training whose events a program of one's own listens to.
 *
 *   node examples/listen.mjs
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Data, Device, Events, Experiment, recipes, Train } from "shakedrop"

const { experiment: written } = recipes.quickstart
const experiment = await Effect.runPromise(
  Experiment.decodeExperiment({
    ...written,
    model: { _tag: "SimpleCnn", width: 2 },
    train: { ...written.train, epochs: 1 }
  })
)
const layers = Layer.mergeAll(
  Device.Device.layer("auto"),
  Data.Dataset.layer(experiment.data),
  Train.RunFolder.create({ name: "listened-to", root: "runs" })
)
const training = Train.train(experiment, { command: "node examples/listen.mjs" }).pipe(Effect.provide(layers))

const epochs = Events.stream(training).pipe(Stream.filter(({ _tag }) => _tag === "Epoch"))
const tell = ({ metrics }) =>
  Effect.sync(() => console.log(`epoch ${metrics.epoch}: loss ${metrics.trainLoss}`))
await Effect.runPromise(Stream.runForEach(epochs, tell))
