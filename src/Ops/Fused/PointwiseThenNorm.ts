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

/** Mean m, variances and covariance C = Σ (x − m)(x − m)ᵀ / n of the map that is convolved. */
interface Moments {
  readonly m: tf.Tensor
  readonly v: tf.Tensor
  readonly covariance: tf.Tensor
}

const momentsOf = (x: tf.Tensor): Moments => {
  const channels = x.shape[3] as number
  const pixels = x.size / channels
  const m = tf.div(sums(x), pixels)
  const onePass = tf.sub(tf.div(products(x, x), pixels), tf.mul(column(m), m))
  const diagonal = (matrix: tf.Tensor): tf.Tensor => tf.sum(tf.mul(matrix, tf.eye(channels)), 0)
  const [covariance] = unless(cancels(m, diagonal(onePass)), [onePass], [x], ([x]) => {
    const centred = tf.sub(x, m)
    return [tf.div(products(centred, centred), pixels)]
  })
  return { m, v: diagonal(covariance), covariance }
}

/**
 * By weights and a bias that give the normalised y at once, without y. Its statistics follow from those of x: the mean is
 * Wᵀm, and the variance the diagonal of WᵀCW.
 */
const normalisedAtOnce = (
  x: tf.Tensor,
  weights: tf.Tensor,
  tensors: NormTensors,
  options: BatchNormOptions,
  { covariance, m, v }: Moments
): Normalised => {
  const [scale, offset] = tensors
  const pixels = x.size / m.size
  const ofY = {
    mean: tf.sum(tf.mul(weights, column(m)), 0),
    // Rounding may leave less than nothing of none.
    variance: tf.relu(tf.sum(tf.mul(weights, tf.matMul(covariance, weights)), 0))
  }
  const factor = affine([scale, offset, ofY.mean, ofY.variance], options.epsilon)
  const atOnce = addBias(pointwise(x, tf.mul(weights, factor.scale)), factor.offset)
  const [value, mean, variance] = unless(cancels(m, v), [atOnce, ofY.mean, ofY.variance], [x], ([x]) => {
    const after = normalisedAfter(x, weights, tensors, options)
    return [after.value, after.mean, after.variance]
  })
  return { value, running: moved(tensors, { mean, variance }, pixels, options.momentum), mean, variance }
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
      const moments = momentsOf(x)
      // The difference in the variance needs more digits than bfloat16 has.
      const normalised =
        precision === "float32"
          ? normalisedAtOnce(x, weights, tensors, options, moments)
          : normalisedAfter(x, weights, tensors, options)
      save([x, kernel, scale, normalised.mean, normalised.variance, moments.m, moments.v, moments.covariance])
      return normalised
    },
    (dy, [x, kernel, scale, mean, variance, m, v, covariance]) => {
      const input = forGradient(x, dy)
      const weights = matrixOf(kernel)
      const inverse = tf.rsqrt(tf.add(variance, options.epsilon))
      const dOffset = sums(dy)
      // Σ (x − m)dyᵀ, from which Σ (h − mean)r dy follows
      const along = centredProducts(input, dy, { mean: m, variance: v, total: dOffset })
      const dScale = tf.mul(tf.sum(tf.mul(weights, along), 0), inverse)
      const pixels = dy.size / scale.size
      const { a, p, q } = factors(pixels, { inverse, mean, scale }, { dOffset, dScale })
      // Σ (x − m)hᵀ = nCW
      const own = tf.mul(tf.matMul(covariance, weights), pixels)
      const dKernel = tf.add(tf.mul(along, a), tf.mul(own, p))
      // W(ph + q) = W diag(p) Wᵀx + Wq
      const around = tf.matMul(tf.mul(weights, p), weights, false, true)
      const through = pointwise(dy, tf.transpose(tf.mul(weights, a)))
      const dx = tf.add(addBias(through, tf.sum(tf.mul(weights, q), 1)), pointwise(input, around))
      return [dx, tf.reshape(dKernel, kernel.shape), dScale, dOffset]
    }
  )
}
