/**
 * Batch normalisation right before or right after a convolution of 1×1. Between the two lies a feature map that in a
 * bottleneck is four times as wide as the others. For the gradients of both together it need neither be kept nor be
 * read, and for the values of a convolution and then a normalisation it need not even be made: sums over its pixels
 * follow from sums over the pixels of the narrow map.
 *
 * Written for a pixel: a convolution takes x to y = Wᵀx, W [C,O]. A normalisation takes h to γ(h − m)r + β with the
 * mean m and the variance v of n pixels, and r = 1/√(v + ε). Of a gradient g of its result it makes the gradient
 * γr·g + p·h + q of h (Ioffe and Szegedy 2015, arXiv:1502.03167, section 3).
 */
import * as tf from "@tensorflow/tfjs-core"
import { affine } from "./Affine.ts"
import { windowed } from "./Attributes.ts"
import {
  addBias,
  type BatchNormOptions,
  type BatchNormResult,
  batchNormTraining,
  conv2d,
  differentiable,
  type NormTensors,
  normaliseBatch,
  type RunningStatistics
} from "./Ops.ts"
import { recorder } from "./Recorder.ts"
import { forGradient } from "./Rematerialise.ts"

/** Wᵀx for each pixel: x [N,H,W,C], matrix [C,O] → [N,H,W,O]. */
const pointwise = (x: tf.Tensor, matrix: tf.Tensor): tf.Tensor => {
  const kernel = tf.reshape(matrix, [1, 1, ...matrix.shape])
  return recorder().record("Conv2D", [x, kernel], windowed(1, "VALID"))[0]
}

/** Wy for each pixel: the gradient of x, where y is that of Wᵀx. matrix [C,O], y [N,H,W,O] → [N,H,W,C]. */
const back = (matrix: tf.Tensor, y: tf.Tensor): tf.Tensor => {
  const shape = tf.tensor1d([...y.shape.slice(0, 3), matrix.shape[0]], "int32")
  const kernel = tf.reshape(matrix, [1, 1, ...matrix.shape])
  return recorder().record("Conv2DBackpropInput", [shape, kernel, y], windowed(1, "VALID"))[0]
}

/** Σ xyᵀ over all pixels: x [N,H,W,C], y [N,H,W,O] → [C,O]. */
const products = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => {
  const shape = [x.shape[3] as number, y.shape[3] as number]
  const kernel = tf.tensor1d([1, 1, ...shape], "int32")
  const [sum] = recorder().record("Conv2DBackpropFilter", [x, kernel, y], windowed(1, "VALID"))
  return tf.reshape(sum, shape)
}

/**
 * Σ x over all pixels: [N,H,W,C] → [C]. Not by BiasAddGrad, which TensorFlow makes a part of the gradient of a kernel,
 * and that gradient slower by more than the sum takes.
 */
const sums = (x: tf.Tensor): tf.Tensor => tf.sum(tf.sum(x, [1, 2]), 0)

const column = (vector: tf.Tensor): tf.Tensor => tf.reshape(vector, [-1, 1])

const matrixOf = (kernel: tf.Tensor): tf.Tensor => tf.reshape(kernel, kernel.shape.slice(2))

/** γr, p and q of the gradient of what is normalised, from the gradients of γ and β. */
const factors = (
  pixels: number,
  { inverse, mean, scale }: Readonly<Record<"inverse" | "mean" | "scale", tf.Tensor>>,
  { dOffset, dScale }: Readonly<Record<"dOffset" | "dScale", tf.Tensor>>
) => {
  const a = tf.mul(scale, inverse)
  const p = tf.mul(tf.mul(a, inverse), tf.mul(dScale, -1 / pixels))
  const q = tf.sub(tf.mul(a, tf.mul(dOffset, -1 / pixels)), tf.mul(p, mean))
  return { a, p, q }
}

/**
 * Batch normalisation as `batchNormTraining` does it, then a convolution. x [N,H,W,C], kernel [1,1,C,O] →
 * [N,H,W,O].
 */
export const normPointwise = (
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  [scale, offset, ...statistics]: NormTensors,
  options: BatchNormOptions
): BatchNormResult => {
  // On a GPU TensorFlow reserves for the gradient what cuDNN likes, which need not be mean and variance.
  if (recorder().placement !== "Cpu") {
    const { value, ...running } = batchNormTraining(x, scale, offset, ...statistics, options)
    return { value: conv2d(value, kernel, 1, 0), ...running }
  }
  let running: RunningStatistics | undefined
  const value = differentiable(
    [x, scale, offset, kernel],
    (save) => {
      const normalised = normaliseBatch(x, [scale, offset, ...statistics], options)
      running = normalised.running
      save([x, scale, offset, kernel, ...normalised.reserved.slice(0, 2)])
      return pointwise(normalised.value, matrixOf(kernel))
    },
    (dy, [x, scale, offset, kernel, mean, variance]) => {
      const input = forGradient(x, dy)
      const weights = matrixOf(kernel)
      const inverse = tf.rsqrt(tf.add(variance, options.epsilon))
      const total = sums(dy)
      // Σ (x − m)r dyᵀ
      const along = tf.mul(tf.sub(products(input, dy), tf.mul(column(mean), total)), column(inverse))
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
  ) as tf.Tensor4D
  return { value, ...running! }
}

/** What normalises y = Wᵀx with the mean and the variance of the batch. */
interface Normalised {
  readonly value: tf.Tensor
  readonly running: RunningStatistics
  readonly mean: tf.Tensor
  readonly variance: tf.Tensor
}

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
  [scale, offset, runningMean, runningVariance]: NormTensors,
  { epsilon, momentum }: BatchNormOptions,
  { total, squares }: Readonly<Record<"total" | "squares", tf.Tensor>>
): Normalised => {
  const { keep } = recorder()
  const pixels = x.size / total.size
  const m = tf.div(total, pixels)
  const covariance = tf.sub(tf.div(squares, pixels), tf.mul(column(m), m))
  const mean = tf.sum(tf.mul(weights, column(m)), 0)
  // Rounding may leave less than nothing of none.
  const variance = tf.relu(tf.sum(tf.mul(weights, tf.matMul(covariance, weights)), 0))
  const moved = (before: tf.Tensor, now: tf.Tensor): tf.Tensor1D =>
    keep(tf.add(tf.mul(before, 1 - momentum), tf.mul(now, momentum)))
  const unbiased = tf.mul(variance, pixels / Math.max(pixels - 1, 1))
  const normalising = affine([scale, offset, mean, variance], epsilon)
  return {
    value: addBias(pointwise(x, tf.mul(weights, normalising.scale)), normalising.offset),
    running: { mean: moved(runningMean, mean), variance: moved(runningVariance, unbiased) },
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
  let running: RunningStatistics | undefined
  const value = differentiable(
    [x, kernel, scale, offset],
    (save) => {
      const weights = matrixOf(kernel)
      const of = { total: sums(x), squares: products(x, x) }
      // The difference in the variance needs more digits than bfloat16 has.
      const normalised =
        precision === "float32"
          ? normalisedAtOnce(x, weights, tensors, options, of)
          : normalisedAfter(x, weights, tensors, options)
      running = normalised.running
      save([x, kernel, scale, normalised.mean, normalised.variance, of.total, of.squares])
      return normalised.value
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
      const rest = addBias(pointwise(input, around), tf.sum(tf.mul(weights, q), 1))
      const dx = tf.add(rest, back(tf.mul(weights, a), dy))
      return [dx, tf.reshape(dKernel, kernel.shape), dScale, dOffset]
    }
  ) as tf.Tensor4D
  return { value, ...running! }
}
