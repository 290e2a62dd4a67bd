/** Layer normalisation. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable } from "./Gradients.ts"

/**
 * Layer normalisation over the last axis (Ba, Kiros, Hinton 2016, arXiv:1607.06450). x [M,C]; scale, offset [C].
 */
export const layerNorm = (
  x: tf.Tensor2D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  epsilon: number
): tf.Tensor2D =>
  differentiable(
    [x, scale, offset],
    (save) => {
      const centred = tf.sub(x, tf.mean(x, 1, true))
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon))
      const normalised = tf.mul(centred, inverse)
      save([normalised, inverse, scale])
      return tf.add(tf.mul(normalised, scale), offset)
    },
    (dy, [normalised, inverse, scale]) => {
      const product = tf.mul(dy, normalised)
      const g = tf.mul(dy, scale)
      const mean = tf.mean(g, 1, true)
      const along = tf.mul(normalised, tf.mean(tf.mul(product, scale), 1, true))
      return [tf.mul(inverse, tf.sub(tf.sub(g, mean), along)), tf.sum(product, 0), tf.sum(dy, 0)]
    }
  ) as tf.Tensor2D
