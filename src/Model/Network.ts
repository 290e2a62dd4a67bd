/**
 * A network as a value: named tensors, their start, and a pure function from images to logits.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { sizeOf, type TensorRecord } from "../Tensor.ts"
import {
  type Context,
  cost,
  globalAveragePool,
  initialise,
  type Layer,
  linear,
  type Mode,
  type TensorSpec,
  type Weights
} from "./Layer.ts"

export interface Network {
  /** As the papers write it, for instance `WRN-16-4`. */
  readonly name: string
  readonly classes: number
  /** Every tensor it owns, in the order of use. */
  readonly tensors: ReadonlyArray<TensorSpec>
  /** Number of trained values. */
  readonly parameters: number
  /** Multiply-adds of one image's forward pass, in convolutions and matrix products. */
  readonly multiplyAdds: number
  /** Starting values by name, in device layouts; the same seed gives the same bits. */
  readonly init: (seed: number) => TensorRecord
  /**
   * Normalised images [N,H,W,3] → logits [N,classes], and in training the running statistics after this batch,
   * by name.
   */
  readonly apply: (
    weights: Weights,
    x: tf.Tensor4D,
    mode: Mode
  ) => { readonly logits: tf.Tensor2D; readonly statistics: Readonly<Record<string, tf.Tensor>> }
}

/** Builds a network from one layer that goes from images to logits. */
export const network = (name: string, classes: number, body: Layer<tf.Tensor4D, tf.Tensor2D>): Network => ({
  name,
  classes,
  tensors: body.tensors,
  parameters: body.tensors.reduce(
    (sum, { role, shape }) => sum + (role === "parameter" ? sizeOf(shape) : 0),
    0
  ),
  multiplyAdds: body.multiplyAdds,
  init: (seed) => initialise(body.tensors, seed),
  apply: (weights, x, mode) => {
    const context: Context = { weights, mode, statistics: {} }
    const logits = body.apply(context, x)
    return { logits, statistics: context.statistics }
  }
})

/** Global average pooling and the linear layer `fc` on top of features with that many channels. */
export const pooledClassifier = (
  features: Layer,
  channels: number,
  classes: number
): Layer<tf.Tensor4D, tf.Tensor2D> => {
  const fc = linear("fc", channels, classes)
  return {
    ...cost([features, fc]),
    apply: (context, x) => fc.apply(context, globalAveragePool(features.apply(context, x), channels))
  }
}
