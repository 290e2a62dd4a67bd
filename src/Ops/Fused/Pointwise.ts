/**
 * What a convolution of 1×1 and batch normalisation right beside it have in common. Between the two lies a feature map
 * that in a bottleneck is four times as wide as the others. For the gradients of both together it need neither be kept
 * nor be read, and for the values it need not even be made: sums over its pixels follow from sums over the pixels of the
 * map before it.
 *
 * Written for a pixel: a convolution takes x to y = Wᵀx, W [C,O]. A normalisation takes h to γ(h − m)r + β with the
 * mean m and the variance v of n pixels, and r = 1/√(v + ε). Of a gradient g of its result it makes the gradient
 * γr·g + p·h + q of h (Ioffe and Szegedy 2015, arXiv:1502.03167, section 3).
 */
import * as tf from "@tensorflow/tfjs-core"
import { windowed } from "../../Device/Graph/Attributes.ts"
import { recorder } from "../../Device/Trace/Recorder.ts"
import type { BatchNormResult, NormTensors, RunningStatistics } from "../BatchNorm.ts"
import { unless } from "../Cond.ts"
import { differentiable } from "../Gradients.ts"

/** Wᵀx for each pixel: x [N,H,W,C], matrix [C,O] → [N,H,W,O]. */
export const pointwise = (x: tf.Tensor, matrix: tf.Tensor): tf.Tensor => {
  const kernel = tf.reshape(matrix, [1, 1, ...matrix.shape])
  return recorder().record("Conv2D", [x, kernel], windowed(1, "VALID"))[0]
}

/** Σ xyᵀ over all pixels: x [N,H,W,C], y [N,H,W,O] → [C,O]. */
export const products = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => {
  const shape = [x.shape[3] as number, y.shape[3] as number]
  const kernel = tf.tensor1d([1, 1, ...shape], "int32")
  const [sum] = recorder().record("Conv2DBackpropFilter", [x, kernel, y], windowed(1, "VALID"))
  return tf.reshape(sum, shape)
}

/**
 * Σ x over all pixels: [N,H,W,C] → [C]. Not by BiasAddGrad, which TensorFlow makes a part of the gradient of a kernel,
 * and that gradient slower by more than the sum takes.
 */
export const sums = (x: tf.Tensor): tf.Tensor => tf.sum(tf.sum(x, [1, 2]), 0)

export const column = (vector: tf.Tensor): tf.Tensor => tf.reshape(vector, [-1, 1])

export const matrixOf = (kernel: tf.Tensor): tf.Tensor => tf.reshape(kernel, kernel.shape.slice(2))

/** γr, p and q of the gradient of what is normalised, from the gradients of γ and β. */
export const factors = (
  pixels: number,
  { inverse, mean, scale }: Readonly<Record<"inverse" | "mean" | "scale", tf.Tensor>>,
  { dOffset, dScale }: Readonly<Record<"dOffset" | "dScale", tf.Tensor>>
) => {
  const a = tf.mul(scale, inverse)
  const p = tf.mul(tf.mul(a, inverse), tf.mul(dScale, -1 / pixels))
  const q = tf.sub(tf.mul(a, tf.mul(dOffset, -1 / pixels)), tf.mul(p, mean))
  return { a, p, q }
}

/** A convolution and a normalisation with the mean and the variance of the batch. */
export interface Normalised {
  readonly value: tf.Tensor
  readonly running: RunningStatistics
  readonly mean: tf.Tensor
  readonly variance: tf.Tensor
}

/** An op that normalises, with a gradient of its own as `differentiable` has it. */
export const normalising = (
  inputs: ReadonlyArray<tf.Tensor>,
  forward: (save: (tensors: Array<tf.Tensor>) => void) => Normalised,
  gradient: (dy: tf.Tensor, saved: Array<tf.Tensor>) => Array<tf.Tensor>
): BatchNormResult => {
  let running: RunningStatistics | undefined
  const value = differentiable(
    inputs,
    (save) => {
      const normalised = forward(save)
      running = normalised.running
      return normalised.value
    },
    gradient
  ) as tf.Tensor4D
  return { value, ...running! }
}

/** Running statistics moved towards mean and variance of so many pixels, as `batchNormTraining` does it. */
export const moved = (
  [, , runningMean, runningVariance]: NormTensors,
  { mean, variance }: Readonly<Record<"mean" | "variance", tf.Tensor>>,
  pixels: number,
  momentum: number
): RunningStatistics => {
  const towards = (before: tf.Tensor, now: tf.Tensor): tf.Tensor1D =>
    recorder().keep(tf.add(tf.mul(before, 1 - momentum), tf.mul(now, momentum)))
  const unbiased = tf.mul(variance, pixels / Math.max(pixels - 1, 1))
  return { mean: towards(runningMean, mean), variance: towards(runningVariance, unbiased) }
}

/**
 * Whether one pass loses digits (catastrophic cancellation): the mean of squares less the square of the mean is wrong by
 * (mean / deviation)² roundings. So it is where some channel's mean is more than 16 deviations from 0; then two passes
 * are taken, which write a map as large as x.
 */
export const cancels = (mean: tf.Tensor, variance: tf.Tensor): tf.Tensor =>
  tf.any(tf.greater(tf.square(mean), tf.mul(variance, 256)))

/** Σ (x − m)yᵀ over all pixels, from Σ xyᵀ and Σ y where that does not cancel. x [N,H,W,C], y [N,H,W,O] → [C,O]. */
export const centredProducts = (
  x: tf.Tensor,
  y: tf.Tensor,
  { mean, variance, total }: Readonly<Record<"mean" | "variance" | "total", tf.Tensor>>
): tf.Tensor => {
  const onePass = tf.sub(products(x, y), tf.mul(column(mean), total))
  return unless(cancels(mean, variance), [onePass], [x], ([x]) => [products(tf.sub(x, mean), y)])[0]
}
