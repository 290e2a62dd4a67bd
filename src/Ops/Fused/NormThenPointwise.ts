/** Batch normalisation, then a convolution of 1×1, as one operation. Pointwise.ts has the notation. */
import * as tf from "@tensorflow/tfjs-core"
import { bool, FLOAT, type } from "../../Device/Graph/Attributes.ts"
import { TF } from "../../Device/Library/DataType.ts"
import { recorder } from "../../Device/Trace/Recorder.ts"
import {
  affine,
  type BatchNormOptions,
  type BatchNormResult,
  batchNormTraining,
  type NormTensors,
  normaliseBatch
} from "../BatchNorm.ts"
import { unless } from "../Cond.ts"
import { addBias, conv2d } from "../Convolution.ts"
import { forGradient } from "../Recompute/Rematerialise.ts"
import {
  cancels,
  centredProducts,
  column,
  factors,
  matrixOf,
  moved,
  type Normalised,
  normalising,
  pointwise,
  sums
} from "./Pointwise.ts"

/** √Σ x² over all pixels, by TensorFlow's one reduction that squares as it reads: [N,H,W,C] → [C]. */
const norms = (x: tf.Tensor): tf.Tensor => {
  const over = (x: tf.Tensor, axes: Array<number>): tf.Tensor => {
    const attributes = [FLOAT, type("Tidx", TF.INT32), bool("keep_dims", false)]
    return recorder().record("EuclideanNorm", [x, tf.tensor1d(axes, "int32")], attributes)[0]
  }
  return over(over(x, [1, 2]), [0])
}

/** By normalising x and then multiplying it. */
const normalisedBefore = (
  x: tf.Tensor,
  weights: tf.Tensor,
  tensors: NormTensors,
  options: BatchNormOptions
): Normalised => {
  const { reserved, running, value } = normaliseBatch(x, tensors, options)
  const [mean, variance] = reserved
  return { value: pointwise(value, weights), running, mean, variance }
}

/**
 * By weights and a bias that normalise, so that x is read and nothing as large is written. Its statistics are Σ x / n
 * and Σ x² / n less the square of the first, which takes half the time of TensorFlow's normalisation.
 */
const normalisedWithin = (
  x: tf.Tensor,
  weights: tf.Tensor,
  tensors: NormTensors,
  options: BatchNormOptions
): Normalised => {
  const [scale, offset] = tensors
  const pixels = x.size / scale.size
  const m = tf.div(sums(x), pixels)
  // Rounding may leave less than nothing of none.
  const v = tf.relu(tf.sub(tf.div(tf.square(norms(x)), pixels), tf.square(m)))
  const factor = affine([scale, offset, m, v], options.epsilon)
  const bias = tf.sum(tf.mul(weights, column(factor.offset)), 0)
  const within = addBias(pointwise(x, tf.mul(weights, column(factor.scale))), bias)
  const [value, mean, variance] = unless(cancels(m, v), [within, m, v], [x], ([x]) => {
    const before = normalisedBefore(x, weights, tensors, options)
    return [before.value, before.mean, before.variance]
  })
  return { value, running: moved(tensors, { mean, variance }, pixels, options.momentum), mean, variance }
}

/**
 * Batch normalisation as `batchNormTraining` does it, then a convolution. x [N,H,W,C], kernel [1,1,C,O] →
 * [N,H,W,O].
 */
export const normPointwise = (
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  tensors: NormTensors,
  options: BatchNormOptions
): BatchNormResult => {
  const { placement, precision } = recorder()
  // On a GPU TensorFlow reserves for the gradient what cuDNN likes, which need not be mean and variance.
  if (placement !== "Cpu") {
    const { value, ...running } = batchNormTraining(x, ...tensors, options)
    return { value: conv2d(value, kernel, 1, 0), ...running }
  }
  const [scale, offset] = tensors
  return normalising(
    [x, scale, offset, kernel],
    (save) => {
      // Of bfloat16's few digits a mean that is still in the map would take some.
      const normalise = precision === "float32" ? normalisedWithin : normalisedBefore
      const normalised = normalise(x, matrixOf(kernel), tensors, options)
      save([x, scale, offset, kernel, normalised.mean, normalised.variance])
      return normalised
    },
    (dy, [x, scale, offset, kernel, mean, variance]) => {
      const input = forGradient(x, dy)
      const weights = matrixOf(kernel)
      const inverse = tf.rsqrt(tf.add(variance, options.epsilon))
      const total = sums(dy)
      // Σ (x − m)r dyᵀ
      const along = tf.mul(centredProducts(input, dy, { mean, variance, total }), column(inverse))
      const dScale = tf.sum(tf.mul(weights, along), 1)
      const dOffset = tf.sum(tf.mul(weights, total), 1)
      const dKernel = tf.add(tf.mul(along, column(scale)), tf.mul(column(offset), total))
      const pixels = x.size / scale.size
      const { a, p, q } = factors(pixels, { inverse, mean, scale }, { dOffset, dScale })
      // As a convolution forwards, to which TensorFlow can add the bias and the map while it writes.
      const through = pointwise(dy, tf.transpose(tf.mul(weights, column(a))))
      const dx = tf.add(addBias(through, q), tf.mul(input, p))
      return [dx, dScale, dOffset, tf.reshape(dKernel, kernel.shape)]
    }
  )
}
