/**
 * A network and a loss of one's own, registered and trained as any other.
 *
 *   node examples/own-network.ts   (Node 22.18 or newer, which runs TypeScript)
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config, Data, Device, Experiment, Model, Registry, recipes, Train } from "shakedrop"

/** Three 3×3 convolutions, each with batch normalisation, ReLU and max-pooling. */
const Plain = Model.defineModel({
  name: "Plain",
  version: 1,
  fields: { width: Config.count },
  capabilities: { recompute: false, resize: true },
  make: ({ classes, size, width }) => {
    const [half, quarter] = [Model.halve(size), Model.halve(Model.halve(size))]
    const part = (index: number, inputs: number, size: Model.Size) => [
      Model.conv(`conv${index}`, { in: inputs, out: width, kernel: 3, size }),
      Model.batchNorm(`norm${index}`, width),
      Model.stateless(Model.relu),
      Model.maxPool
    ]
    const layers = [...part(1, 3, size), ...part(2, width, half), ...part(3, width, quarter)]
    const features = Model.sequential(layers)
    return Model.network(`Plain-${width}`, classes, Model.pooledClassifier(features, width, classes))
  }
})

/** Focal loss: Lin, Goyal, Girshick, He, Dollár, "Focal Loss for Dense Object Detection", ICCV 2017. */
const Focal = Train.defineLoss({
  name: "Focal",
  version: 1,
  fields: { gamma: Config.nonNegative.pipe(Config.withDefault(2)) },
  make: (options) => (logits, targets) => {
    const logs = tf.logSoftmax(logits)
    const weights = tf.mul(targets, tf.pow(tf.sub(1, tf.exp(logs)), options.gamma))
    return tf.neg(tf.mean(tf.sum(tf.mul(weights, logs), 1)))
  }
})

const program = Effect.gen(function* () {
  const { train, ...quickstart } = recipes.quickstart.experiment
  const own = { model: { _tag: "Plain", width: 16 }, train: { ...train, epochs: 4, loss: { _tag: "Focal" } } }
  const experiment = yield* Experiment.decodeExperiment({ ...quickstart, ...own, name: "plain" })
  const layers = Layer.mergeAll(
    Device.Device.layer("auto"),
    Data.Dataset.layer(experiment.data),
    Train.RunFolder.create({ name: "plain", root: "runs" })
  )
  const options = { command: "node examples/own-network.ts" }
  const { result } = yield* Train.train(experiment, options).pipe(Effect.provide(layers))
  console.log(`${(100 * result.accuracy).toFixed(2)} % of ${result.images} test images`)
})

await Effect.runPromise(Effect.provide(program, Registry.layer({ models: [Plain], losses: [Focal] })))
