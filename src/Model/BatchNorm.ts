/** Batch normalisation as a layer. */
import * as tf from "@tensorflow/tfjs-core"
import { batchNormInference, batchNormTraining } from "../Device/Ops.ts"
import { constant, type Layer, padTo } from "./Layer.ts"

export interface BatchNormOptions {
  /** How far running statistics move towards a batch's. */
  readonly momentum: number
  readonly epsilon: number
  /** Whether the scale is trained; otherwise it stays 1. */
  readonly trainedScale: boolean
}

/** PyTorch's defaults, which most published results of these networks use. */
const DEFAULTS: BatchNormOptions = { momentum: 0.1, epsilon: 1e-5, trainedScale: true }

/** The first `count` values of a vector. */
const firstOf = (x: tf.Tensor1D, count: number): tf.Tensor1D =>
  x.shape[0] === count ? x : tf.slice(x, 0, count)

/** Batch normalisation over N, H and W. */
export const batchNorm = (name: string, channels: number, options: BatchNormOptions = DEFAULTS): Layer => {
  const [scale, offset, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(
    (part) => `${name}.${part}`
  )
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
    apply: ({ mode, statistics, weights }, x) => {
      const [w, b, m, v] = [scale, offset, mean, variance].map((tensor) =>
        padTo(weights[tensor], [x.shape[3]])
      )
      if (mode._tag === "Evaluation") return batchNormInference(x, w, b, m, v, options.epsilon)
      const momentum = mode.momentum ?? options.momentum
      const result = batchNormTraining(x, w, b, m, v, { ...options, momentum })
      statistics[mean] = firstOf(result.mean, channels)
      statistics[variance] = firstOf(result.variance, channels)
      return result.value
    }
  }
}
