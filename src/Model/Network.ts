/**
 * A network as a value: named tensors, their start, and a pure function from images to logits.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { type HostTensor, sizeOf, type TensorRecord } from "../Tensor/HostTensor.ts"
import {
  type Context,
  initialise,
  type Layer,
  type Mode,
  type Size,
  type TensorSpec,
  type Weights
} from "./Layer/Layer.ts"

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
  /** Starting values that depend on training images and replace those of `init`, where there are any. */
  readonly dataInit?: DataInit
  /** How many patches a vision transformer cuts images into, in each direction. */
  readonly patches?: Size
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

export interface DataInit {
  /** How many training images are wanted. */
  readonly images: number
  /** Normalised images [N,H,W,3] → starting values by name, in device layouts. */
  readonly values: (images: HostTensor<"float32">) => TensorRecord
}

/** Builds a network from one layer that goes from images to logits. */
export const network = (
  name: string,
  classes: number,
  body: Layer<tf.Tensor4D, tf.Tensor2D>,
  properties: Pick<Network, "dataInit" | "patches"> = {}
): Network => ({
  ...properties,
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
