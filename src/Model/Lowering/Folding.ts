/**
 * For evaluation, where normalisations are linear: convolutions that do what a normalisation before or after them would,
 * and so save passes over feature maps.
 */
import * as tf from "@tensorflow/tfjs-core"
import { addBias, conv2d } from "../../Ops/Convolution.ts"
import { affineOf, meanOf } from "../Layer/BatchNorm.ts"
import { aligned, type Context, padTo } from "../Layer/Layer.ts"

/**
 * Whether a map of that many channels can hold ones in the last of those that it is padded with. Before a convolution
 * of more than 1×1 the zeros around an image are not normalised, so that what a normalisation adds has to end where the
 * image ends. The ones do, and are given the weights that add it.
 */
export const hasOnes = (channels: number): boolean => channels < aligned(channels)

/** What a branch adds to a shortcut of `inputs` channels so that the ones are where those of `out` channels are. */
export const movedOnes = (inputs: number, out: number): tf.Tensor => {
  const change = new Float32Array(aligned(out))
  if (hasOnes(inputs)) change[aligned(inputs) - 1] -= 1
  if (hasOnes(out)) change[aligned(out) - 1] += 1
  return tf.tensor1d(change)
}

/**
 * The context in which a convolution does what the normalisation before it would. That scales what comes in, which the
 * kernel does as well, and moves it, which after a convolution of 1×1 is a move of the next normalisation's mean, and
 * in a larger one is done by ones in the input, which then must have them. The names are those of the three layers.
 */
export const foldInto = (
  context: Context,
  { conv, next, norm }: { readonly norm: string; readonly conv: string; readonly next: string }
): Context => {
  const { weights } = context
  const { offset, scale } = affineOf(context, norm)
  const [name, mean] = [`${conv}.weight`, meanOf(next)]
  const kernel = weights[name] as tf.Tensor4D
  const [size, , channels, out] = kernel.shape
  const column = [channels, 1]
  const scaled = tf.mul<tf.Tensor4D>(kernel, tf.reshape(scale, column))
  const moving = tf.sum<tf.Tensor4D>(tf.mul(kernel, tf.reshape(offset, column)), 2, true)
  if (size === 1) {
    const moved = tf.sub(weights[mean], tf.reshape(moving, [out]))
    return { ...context, weights: { ...weights, [name]: scaled, [mean]: moved } }
  }
  const between = tf.zeros<tf.Rank.R4>([size, size, aligned(channels) - channels - 1, out])
  return { ...context, weights: { ...weights, [name]: tf.concat([scaled, between, moving], 2) } }
}

/** The names of a convolution and of the normalisation beside it. */
export interface ConvNormNames {
  readonly conv: string
  readonly norm: string
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
 * A convolution without bias and the normalisation after it: the kernel does what the normalisation multiplies with, and
 * a bias is what it adds. TensorFlow makes them one operation with a ReLU or a sum with another map that follows.
 * [N,H,W,C] → [N,H,W,O], padded.
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
