/** A convolution of 1×1, then batch normalisation, as one operation. Pointwise.ts has the notation. */
import * as tf from "@tensorflow/tfjs-core"
import { recorder } from "../../Device/Trace/Recorder.ts"
import {
  affine,
  type BatchNormOptions,
  type BatchNormResult,
  batchNormTraining,
  type NormTensors,
  normaliseBatch
} from "../BatchNorm.ts"
import { addBias, conv2d } from "../Convolution.ts"
import { forGradient } from "../Recompute/Rematerialise.ts"
import {
  column,
  factors,
  matrixOf,
  moved,
  type Normalised,
  normalising,
  pointwise,
  products,
  sums
} from "./Pointwise.ts"

/** By computing y and then normalising it. */
const normalisedAfter = (
  x: tf.Tensor,
  weights: tf.Tensor,
  tensors: NormTensors,
  options: BatchNormOptions
): Normalised => {
  const { reserved, ...normalised } = normaliseBatch(pointwise(x, weights), tensors, options)
  const [mean, variance] = reserved
  return { ...normalised, mean, variance }
}

/**
 * By weights and a bias that give the normalised y at once, without y. Its statistics follow from Σ x and Σ xxᵀ of n
 * pixels: with m = Σ x / n the mean is Wᵀm, and the variance the diagonal of Wᵀ(Σ xxᵀ / n − mmᵀ)W.
 */
const normalisedAtOnce = (
  x: tf.Tensor,
  weights: tf.Tensor,
  tensors: NormTensors,
  { epsilon, momentum }: BatchNormOptions,
  { total, squares }: Readonly<Record<"total" | "squares", tf.Tensor>>
): Normalised => {
  const [scale, offset] = tensors
  const pixels = x.size / total.size
  const m = tf.div(total, pixels)
  const covariance = tf.sub(tf.div(squares, pixels), tf.mul(column(m), m))
  const mean = tf.sum(tf.mul(weights, column(m)), 0)
  // Rounding may leave less than nothing of none.
  const variance = tf.relu(tf.sum(tf.mul(weights, tf.matMul(covariance, weights)), 0))
  const factor = affine([scale, offset, mean, variance], epsilon)
  return {
    value: addBias(pointwise(x, tf.mul(weights, factor.scale)), factor.offset),
    running: moved(tensors, { mean, variance }, pixels, momentum),
    mean,
    variance
  }
}

/**
 * A convolution, then batch normalisation as `batchNormTraining` does it. x [N,H,W,C], kernel [1,1,C,O] →
 * [N,H,W,O].
 */
export const pointwiseNorm = (
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  tensors: NormTensors,
  options: BatchNormOptions
): BatchNormResult => {
  const { placement, precision } = recorder()
  if (placement !== "Cpu") return batchNormTraining(conv2d(x, kernel, 1, 0), ...tensors, options)
  const [scale, offset] = tensors
  return normalising(
    [x, kernel, scale, offset],
    (save) => {
      const weights = matrixOf(kernel)
      const of = { total: sums(x), squares: products(x, x) }
      // The difference in the variance needs more digits than bfloat16 has.
      const normalised =
        precision === "float32"
          ? normalisedAtOnce(x, weights, tensors, options, of)
          : normalisedAfter(x, weights, tensors, options)
      save([x, kernel, scale, normalised.mean, normalised.variance, of.total, of.squares])
      return normalised
    },
    (dy, [x, kernel, scale, mean, variance, total, squares]) => {
      const input = forGradient(x, dy)
      const weights = matrixOf(kernel)
      const inverse = tf.rsqrt(tf.add(variance, options.epsilon))
      const dOffset = sums(dy)
      const along = products(input, dy)
      // Σ (h − m)r dy, where Σ h dy follows from Σ xdyᵀ
      const dScale = tf.mul(tf.sub(tf.sum(tf.mul(weights, along), 0), tf.mul(mean, dOffset)), inverse)
      const pixels = dy.size / scale.size
      const { a, p, q } = factors(pixels, { inverse, mean, scale }, { dOffset, dScale })
      // Σ xhᵀ = Σ xxᵀ W
      const own = tf.matMul(squares, weights)
      const dKernel = tf.add(tf.add(tf.mul(along, a), tf.mul(own, p)), tf.mul(column(total), q))
      // W(ph + q) = W diag(p) Wᵀx + Wq
      const around = tf.matMul(tf.mul(weights, p), weights, false, true)
      const through = pointwise(dy, tf.transpose(tf.mul(weights, a)))
      const dx = tf.add(addBias(through, tf.sum(tf.mul(weights, q), 1)), pointwise(input, around))
      return [dx, tf.reshape(dKernel, kernel.shape), dScale, dOffset]
    }
  )
}
