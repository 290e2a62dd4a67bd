/** A trained network as a frozen graph: from pixels to probabilities. */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, type DeviceError, type FrozenGraph } from "../Device.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { normalise } from "../Train/Step/EntryPoints.ts"

/**
 * Takes `images`, uint8 [N,H,W,3] with pixels 0 … 255 for any N, and gives `logits` and `probabilities`, float32
 * [N,classes]. It is traced on the CPU, which is always there: the graph is the same for every device.
 */
export const frozen = (served: Served): Effect.Effect<FrozenGraph, DeviceError> => {
  const { network, size, weights } = served
  return Effect.flatMap(Device, ({ freeze }) =>
    freeze({
      weights,
      inputs: (batch) => ({ images: { dtype: "uint8", shape: [batch, size.height, size.width, 3] } }),
      run: (weights, { images }) => {
        const { logits } = network.apply(weights, normalise(images, served), { _tag: "Evaluation" })
        return { logits, probabilities: tf.softmax(logits) }
      }
    })
  ).pipe(Effect.provide(Device.layer("cpu")))
}
