/**
 * For evaluation, where normalisations are linear: convolutions that do what a normalisation beside them would, where
 * that saves a pass over a feature map. A normalisation between a convolution and a ReLU takes none: TensorFlow makes
 * the three one operation.
 */
import * as tf from "@tensorflow/tfjs-core"
import { addBias, conv2d } from "../Device/Ops.ts"
import { affineOf, meanOf } from "./BatchNorm.ts"
import { aligned, type Context, padTo } from "./Layer.ts"

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

/**
 * A convolution of stride 1 and the normalisation after it, times a factor, plus `added` [O]: a convolution with a
 * bias, with which TensorFlow makes a sum with another map one operation. [N,H,W,C] → [N,H,W,O], padded.
 */
export const convThenNorm = (
  context: Context,
  { conv, norm }: { readonly conv: string; readonly norm: string },
  x: tf.Tensor4D,
  { added, factor }: { readonly factor: number; readonly added?: tf.Tensor }
): tf.Tensor4D => {
  const { offset, scale } = affineOf(context, norm)
  const kernel = context.weights[`${conv}.weight`] as tf.Tensor4D
  const [size, , , out] = kernel.shape
  const scaled = padTo(tf.mul<tf.Tensor4D>(kernel, tf.mul(scale, factor)), [
    size,
    size,
    x.shape[3],
    aligned(out)
  ])
  const bias = padTo(tf.mul(offset, factor), [aligned(out)])
  const value = conv2d(x, scaled, 1, (size - 1) / 2)
  return addBias(value, added === undefined ? bias : tf.add(bias, added))
}
