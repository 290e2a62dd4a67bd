/** Batch normalisation as a layer. */
import * as tf from "@tensorflow/tfjs-core"
import {
  type BatchNormResult,
  batchNormInference,
  batchNormTraining,
  type NormTensors,
  type BatchNormOptions as StepOptions
} from "../../Ops/BatchNorm.ts"
import { affine } from "../../Ops/Fused/Affine.ts"
import { type Context, constant, isTraining, type Layer, padTo, type TrainingContext } from "./Layer.ts"

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
    apply: (context, x) =>
      isTraining(context)
        ? withBatchStatistics(
            context,
            name,
            x.shape[3],
            (tensors, training) => batchNormTraining(x, ...tensors, training),
            options
          )
        : batchNormInference(x, ...tensorsOf(context, name, x.shape[3]), options.epsilon)
  }
}

/** A normalisation's tensors, padded to that many channels. */
const tensorsOf = ({ weights }: Context, name: string, channels: number): NormTensors => {
  const [scale, offset, mean, variance] = tensorNames(name).map((tensor) =>
    padTo(weights[tensor], [channels])
  )
  return [scale, offset, mean, variance]
}

/**
 * What an op makes that normalises a map of that many channels with the statistics of the batch. The running statistics
 * that it gives are put where they are asked for.
 */
export const withBatchStatistics = (
  context: TrainingContext,
  name: string,
  channels: number,
  op: (tensors: NormTensors, options: StepOptions) => BatchNormResult,
  { epsilon, momentum }: StepOptions = DEFAULTS
): tf.Tensor4D => {
  const { mode, statistics, weights } = context
  const tensors = tensorsOf(context, name, channels)
  const { mean, value, variance } = op(tensors, { epsilon, momentum: mode.momentum ?? momentum })
  const [, , meanName, varianceName] = tensorNames(name)
  const own = weights[meanName].size
  statistics[meanName] = firstOf(mean, own)
  statistics[varianceName] = firstOf(variance, own)
  return value
}

/** The name of a normalisation's running mean. */
export const meanOf = (name: string): string => tensorNames(name)[2]

/** What a normalisation does in evaluation: x ↦ scale·x + offset, [C] each. */
export const affineOf = (
  { weights }: Context,
  name: string,
  epsilon = DEFAULTS.epsilon
): ReturnType<typeof affine> => {
  const [scale, offset, mean, variance] = tensorNames(name).map((tensor) => weights[tensor])
  return affine([scale, offset, mean, variance], epsilon)
}
