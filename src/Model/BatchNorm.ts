/** Batch normalisation as a layer. */
import * as tf from "@tensorflow/tfjs-core"
import {
  type BatchNormResult,
  batchNormInference,
  batchNormTraining,
  type BatchNormOptions as StepOptions
} from "../Device/Ops.ts"
import type { NormTensors } from "../Device/PointwiseNorm.ts"
import { type Context, constant, type Layer, padTo, type Training } from "./Layer.ts"

export interface BatchNormOptions extends StepOptions {
  /** Whether the scale is trained; otherwise it stays 1. */
  readonly trainedScale: boolean
}

/** PyTorch's defaults, which most published results of these networks use. */
const DEFAULTS: BatchNormOptions = { momentum: 0.1, epsilon: 1e-5, trainedScale: true }

/** The first `count` values of a vector. */
const firstOf = (x: tf.Tensor1D, count: number): tf.Tensor1D =>
  x.shape[0] === count ? x : tf.slice(x, 0, count)

/** PyTorch's names of a normalisation's scale, offset, running mean and running variance. */
const tensorNames = (name: string): Array<string> =>
  ["weight", "bias", "running_mean", "running_var"].map((part) => `${name}.${part}`)

/** Batch normalisation over N, H and W. */
export const batchNorm = (name: string, channels: number, options: BatchNormOptions = DEFAULTS): Layer => {
  const [scale, offset, mean, variance] = tensorNames(name)
  const shape = [channels]
  const [zero, one] = [constant(0), constant(1)]
  return {
    tensors: [
      { name: scale, shape, role: options.trainedScale ? "parameter" : "constant", initial: one },
      { name: offset, shape, role: "parameter", initial: zero },
      { name: mean, shape, role: "statistic", initial: zero },
      { name: variance, shape, role: "statistic", initial: one }
    ],
    multiplyAdds: 0,
    apply: (context, x) => {
      const { mode } = context
      const tensors = normTensors(context, name, x.shape[3])
      if (mode._tag === "Evaluation") return batchNormInference(x, ...tensors, options.epsilon)
      const result = batchNormTraining(x, ...tensors, trainingOptions(mode, options))
      putStatistics(context, name, result)
      return result.value
    }
  }
}

/** A normalisation's tensors with that many channels: scale, offset, running mean and running variance. */
export const normTensors = ({ weights }: Context, name: string, channels: number): NormTensors => {
  const [scale, offset, mean, variance] = tensorNames(name).map((tensor) =>
    padTo(weights[tensor], [channels])
  )
  return [scale, offset, mean, variance]
}

export const trainingOptions = (
  mode: Training,
  { epsilon, momentum }: StepOptions = DEFAULTS
): StepOptions => ({ epsilon, momentum: mode.momentum ?? momentum })

/** Puts the running statistics of a normalisation's own channels where they are asked for. */
export const putStatistics = (
  { statistics, weights }: Context,
  name: string,
  { mean, variance }: Omit<BatchNormResult, "value">
): void => {
  const [, , meanName, varianceName] = tensorNames(name)
  const channels = weights[meanName].size
  statistics[meanName] = firstOf(mean, channels)
  statistics[varianceName] = firstOf(variance, channels)
}

export const meanOf = (name: string): string => tensorNames(name)[2]

/** What a normalisation does in evaluation: x ↦ scale·x + offset, [C] each. */
export const affineOf = (
  { weights }: Context,
  name: string
): { readonly scale: tf.Tensor; readonly offset: tf.Tensor } => {
  const [weight, bias, mean, variance] = tensorNames(name).map((tensor) => weights[tensor])
  const scale = tf.mul(weight, tf.rsqrt(tf.add(variance, DEFAULTS.epsilon)))
  return { scale, offset: tf.sub(bias, tf.mul(mean, scale)) }
}
