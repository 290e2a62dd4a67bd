/** A convolution and the batch normalisation after it, which are one convolution with a bias in evaluation. */
import * as tf from "@tensorflow/tfjs-core"
import { addBias, conv2d } from "../Device/Ops.ts"
import { affineOf, type BatchNormOptions, batchNorm } from "./BatchNorm.ts"
import { type ConvOptions, conv } from "./Convolution.ts"
import { aligned, type Context, isTraining, type Layer, padTo, sequential } from "./Layer.ts"

/** The names of the two layers. */
export interface ConvNormNames {
  readonly conv: string
  readonly norm: string
}

/** The two as a layer; the convolution has no bias of its own. */
export const convNorm = (
  names: ConvNormNames,
  options: Omit<ConvOptions, "bias" | "padding">,
  normalisation?: BatchNormOptions
): Layer => {
  const both = sequential([conv(names.conv, options), batchNorm(names.norm, options.out, normalisation)])
  const { stride } = options
  return {
    ...both,
    apply: (context, x) =>
      isTraining(context)
        ? both.apply(context, x)
        : convThenNorm(context, names, x, { stride, epsilon: normalisation?.epsilon })
  }
}

export interface ConvThenNormOptions {
  readonly stride?: number | undefined
  /** Of the normalisation. */
  readonly epsilon?: number | undefined
  /** What the result is multiplied with. */
  readonly factor?: number
  /** What is added to that, [O]. */
  readonly added?: tf.Tensor
}

/**
 * The two in evaluation: the kernel does what the normalisation multiplies with, and a bias is what it adds. With what
 * follows, a ReLU or a sum with another map, TensorFlow makes them one operation. [N,H,W,C] → [N,H,W,O], padded.
 */
export const convThenNorm = (
  context: Context,
  { conv, norm }: ConvNormNames,
  x: tf.Tensor4D,
  { added, epsilon, factor = 1, stride = 1 }: ConvThenNormOptions = {}
): tf.Tensor4D => {
  const { offset, scale } = affineOf(context, norm, epsilon)
  const times = (value: tf.Tensor): tf.Tensor => (factor === 1 ? value : tf.mul(value, factor))
  const kernel = context.weights[`${conv}.weight`] as tf.Tensor4D
  const [size, , , out] = kernel.shape
  const scaled = padTo(tf.mul<tf.Tensor4D>(kernel, times(scale)), [size, size, x.shape[3], aligned(out)])
  const bias = padTo(times(offset), [aligned(out)])
  const value = conv2d(x, scaled, stride, (size - 1) / 2)
  return addBias(value, added === undefined ? bias : tf.add(bias, added))
}
