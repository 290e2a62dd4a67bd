/** Batch normalisation as a layer. */
import type * as tf from "@tensorflow/tfjs-core"
import { ownChannels, padChannels, padTo } from "../../Ops/Alignment.ts"
import {
  type BatchNormResult,
  batchNormInference,
  batchNormTraining,
  type NormTensors,
  type BatchNormOptions as StepOptions
} from "../../Ops/BatchNorm.ts"
import { synchronisedBatchNorm } from "../../Ops/Collective/SynchronisedBatchNorm.ts"
import { type Context, constant, isTraining, type Layer, type TrainingContext } from "./Layer.ts"

export interface BatchNormOptions extends StepOptions {
  /** Whether the scale is trained; otherwise it stays 1. */
  readonly trainedScale: boolean
}

/** PyTorch's defaults, which most published results of these networks use. */
const DEFAULTS: BatchNormOptions = { momentum: 0.1, epsilon: 1e-5, trainedScale: true }

/** PyTorch's names of a normalisation's scale, offset, running mean and running variance. */
export const tensorNames = (name: string): Array<string> =>
  ["weight", "bias", "running_mean", "running_var"].map((part) => `${name}.${part}`)

/** Batch normalisation over N, H and W. */
export const batchNorm = (name: string, channels: number, options: BatchNormOptions = DEFAULTS): Layer => {
  const [scale, offset, mean, variance] = tensorNames(name)
  const shape = [channels]
  const [zero, one] = [constant(0), constant(1)]
  return {
    tensors: [
      {
        name: scale,
        kind: "norm",
        shape,
        role: options.trainedScale ? "parameter" : "constant",
        initial: one
      },
      { name: offset, kind: "bias", shape, role: "parameter", initial: zero },
      { name: mean, kind: "norm", shape, role: "statistic", initial: zero },
      { name: variance, kind: "norm", shape, role: "statistic", initial: one }
    ],
    multiplyAdds: 0,
    apply: (context, given) => {
      const x = padChannels(given, channels)
      const padded = x.shape[3]
      if (!isTraining(context)) {
        return batchNormInference(x, ...tensorsOf(context, name, padded), options.epsilon)
      }
      const { synchronised } = context.mode
      const op = (tensors: NormTensors, training: StepOptions) =>
        synchronised === undefined
          ? batchNormTraining(x, ...tensors, training)
          : synchronisedBatchNorm(x, tensors, training, synchronised)
      return withBatchStatistics(context, name, padded, op, options)
    },
    form: { _tag: "BatchNorm", name, ...options }
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
  { epsilon, momentum }: StepOptions
): tf.Tensor4D => {
  const { mode, statistics, weights } = context
  const tensors = tensorsOf(context, name, channels)
  const { mean, value, variance } = op(tensors, { epsilon, momentum: mode.momentum ?? momentum })
  const [, , meanName, varianceName] = tensorNames(name)
  const own = weights[meanName].size
  statistics[meanName] = ownChannels(mean, own)
  statistics[varianceName] = ownChannels(variance, own)
  return value
}
