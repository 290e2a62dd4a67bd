/** A trained network as a frozen graph: from pixels to probabilities. */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, type DeviceError, type FrozenGraph } from "../Device.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { normalise } from "../Train/Step/EntryPoints.ts"

/**
 * What the graph takes, for any number N of images:
 * - `nhwc`: `images`, uint8 [N,H,W,3] with pixels 0 … 255.
 * - `nchw`: `images`, uint8 [N,3,H,W] with pixels 0 … 255.
 * - `normalized`: `pixel_values`, float32 [N,3,H,W], normalised as the metadata say: what networks of PyTorch take.
 */
export type InputForm = "nhwc" | "nchw" | "normalized"

/** Images [N,3,H,W] as [N,H,W,3]. */
const channelsLast = (images: tf.Tensor): tf.Tensor => tf.transpose(images, [0, 2, 3, 1])

interface Taken {
  readonly name: string
  readonly dtype: "uint8" | "float32"
  readonly channelsFirst: boolean
  /** Normalised images [N,H,W,3] from what is taken. */
  readonly read: (input: tf.Tensor, images: Pick<Served, "mean" | "std">) => tf.Tensor4D
}

const TAKEN: Readonly<Record<InputForm, Taken>> = {
  nhwc: { name: "images", dtype: "uint8", channelsFirst: false, read: normalise },
  nchw: {
    name: "images",
    dtype: "uint8",
    channelsFirst: true,
    read: (input, images) => normalise(channelsLast(input), images)
  },
  normalized: {
    name: "pixel_values",
    dtype: "float32",
    channelsFirst: true,
    read: (input) => channelsLast(input) as tf.Tensor4D
  }
}

/**
 * Gives `logits` and `probabilities`, float32 [N,classes]. It is traced on the CPU, which is always there: the graph is
 * the same for every device.
 */
export const frozen = (served: Served, form: InputForm = "nhwc"): Effect.Effect<FrozenGraph, DeviceError> => {
  const { network, size, weights } = served
  const { channelsFirst, dtype, name, read } = TAKEN[form]
  const image = channelsFirst ? [3, size.height, size.width] : [size.height, size.width, 3]
  return Effect.flatMap(Device, ({ freeze }) =>
    freeze({
      weights,
      inputs: (batch) => ({ [name]: { dtype, shape: [batch, ...image] } }),
      run: (weights, input) => {
        const { logits } = network.apply(weights, read(input[name], served), { _tag: "Evaluation" })
        return { logits, probabilities: tf.softmax(logits) }
      }
    })
  ).pipe(Effect.provide(Device.layer("cpu")))
}
