/**
 * For evaluation, where normalisations are linear: convolutions that do what a normalisation before them would, and so
 * save a pass over a feature map.
 */
import * as tf from "@tensorflow/tfjs-core"
import { affineOf, meanOf } from "./BatchNorm.ts"
import { aligned, type Context } from "./Layer.ts"

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
