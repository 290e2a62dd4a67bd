/** Batch normalisation over NHWC, as one operation forwards and one backwards. */
import * as tf from "@tensorflow/tfjs-core"
import { float, normalisation } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import { differentiable } from "./Gradients.ts"
import { cheap, forGradient } from "./Recompute/Rematerialise.ts"

/** Running statistics after a batch; the variance is the unbiased one, as in PyTorch. */
export interface RunningStatistics {
  readonly mean: tf.Tensor1D
  readonly variance: tf.Tensor1D
}

export interface BatchNormResult extends RunningStatistics {
  readonly value: tf.Tensor4D
}

/** A normalisation's scale, offset, running mean and running variance, [C] each. */
export type NormTensors = readonly [
  scale: tf.Tensor,
  offset: tf.Tensor,
  runningMean: tf.Tensor,
  runningVariance: tf.Tensor
]

export interface BatchNormOptions {
  /** How far running statistics move towards a batch's. */
  readonly momentum: number
  readonly epsilon: number
}

/** Normalises a map with the statistics of the batch, without a gradient; `reserved` is what that is to be given. */
export const normaliseBatch = (
  x: tf.Tensor,
  tensors: NormTensors,
  { epsilon, momentum }: BatchNormOptions
): {
  readonly value: tf.Tensor
  readonly running: RunningStatistics
  readonly reserved: ReadonlyArray<tf.Tensor>
} => {
  const { keep, record } = recorder()
  const attributes = [...normalisation(epsilon, true), float("exponential_avg_factor", momentum)]
  const [value, mean, variance, ...reserved] = record("FusedBatchNormV3", [x, ...tensors], attributes)
  return {
    value,
    running: { mean: keep(mean as tf.Tensor1D), variance: keep(variance as tf.Tensor1D) },
    reserved
  }
}

/**
 * Batch normalisation with the statistics of the batch (Ioffe and Szegedy 2015), and the running statistics
 * moved towards them: running ← (1 − momentum)·running + momentum·batch. x [N,H,W,C], the others [C].
 */
export const batchNormTraining = (
  x: tf.Tensor4D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  runningMean: tf.Tensor,
  runningVariance: tf.Tensor,
  options: BatchNormOptions
): BatchNormResult => {
  const { keep, placement, record } = recorder()
  let running: RunningStatistics | undefined
  let used: ReadonlyArray<tf.Tensor> = []
  const value = differentiable(
    [x, scale, offset],
    (save) => {
      const normalised = normaliseBatch(x, [scale, offset, runningMean, runningVariance], options)
      running = normalised.running
      used = normalised.reserved.slice(0, 2).map(keep)
      save([x, scale, ...normalised.reserved])
      return normalised.value
    },
    (dy, [x, scale, ...reserved]) =>
      record(
        "FusedBatchNormGradV3",
        [dy, forGradient(x, dy), scale, ...reserved],
        normalisation(options.epsilon, true)
      ).slice(0, 3)
  ) as tf.Tensor4D
  // On a CPU TensorFlow reserves mean and variance of the batch, on a GPU what cuDNN likes better.
  const again = (...inputs: Array<tf.Tensor>): tf.Tensor =>
    record("FusedBatchNormV3", inputs, normalisation(options.epsilon, false))[0]
  return {
    value: placement === "Cpu" ? cheap(value, [x, scale, offset, ...used], again) : value,
    ...running!
  }
}

/** Batch normalisation with given statistics, for evaluation. Not differentiable. x [N,H,W,C], the others [C]. */
export const batchNormInference = (
  x: tf.Tensor4D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number
): tf.Tensor4D =>
  recorder().record(
    "FusedBatchNormV3",
    [x, scale, offset, mean, variance],
    normalisation(epsilon, false)
  )[0] as tf.Tensor4D

/** Batch normalisation with given statistics as what it does to a channel: x ↦ scale·x + offset. All [C]. */
export const affine = (
  [scale, offset, mean, variance]: NormTensors,
  epsilon: number
): { readonly scale: tf.Tensor; readonly offset: tf.Tensor } => {
  const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)))
  return { scale: factor, offset: tf.sub(offset, tf.mul(mean, factor)) }
}
