/** Batch normalisation with given statistics as a multiplication and an addition. */
import * as tf from "@tensorflow/tfjs-core"
import type { NormTensors } from "../BatchNorm.ts"

/** What it does to a channel: x ↦ scale·x + offset. All [C]. */
export const affine = (
  [scale, offset, mean, variance]: NormTensors,
  epsilon: number
): { readonly scale: tf.Tensor; readonly offset: tf.Tensor } => {
  const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)))
  return { scale: factor, offset: tf.sub(offset, tf.mul(mean, factor)) }
}
