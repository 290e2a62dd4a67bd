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

/** A program of normalised images [N,H,W,3]. */
export interface ImageProgram extends Pick<Served, "weights" | "size" | "mean" | "std"> {
  readonly run: (
    weights: Readonly<Record<string, tf.Tensor>>,
    images: tf.Tensor4D
  ) => Readonly<Record<"logits" | "probabilities", tf.Tensor>>
}

/**
 * A graph that takes images in one of the forms and gives `logits` and `probabilities`, float32 [N,classes]. It is
 * traced on the CPU, which is always there: the graph is the same for every device.
 */
export const frozenProgram = (
  program: ImageProgram,
  form: InputForm = "nhwc"
): Effect.Effect<FrozenGraph, DeviceError> => {
  const { run, size, weights } = program
  const { channelsFirst, dtype, name, read } = TAKEN[form]
  const image = channelsFirst ? [3, size.height, size.width] : [size.height, size.width, 3]
  return Effect.flatMap(Device, ({ freeze }) =>
    freeze({
      weights,
      inputs: (batch) => ({ [name]: { dtype, shape: [batch, ...image] } }),
      run: (weights, input) => run(weights, read(input[name], program))
    })
  ).pipe(Effect.provide(Device.layer("cpu")))
}

/** The graph of a trained network. */
export const frozen = (served: Served, form?: InputForm): Effect.Effect<FrozenGraph, DeviceError> =>
  frozenProgram(
    {
      ...served,
      run: (weights, images) => {
        const { logits } = served.network.apply(weights, images, { _tag: "Evaluation" })
        return { logits, probabilities: tf.softmax(logits) }
      }
    },
    form
  )
