/** Batch normalisation as a layer. */
import * as tf from "@tensorflow/tfjs-core"
import { batchNormInference, batchNormTraining } from "../Device/Ops.ts"
import { type Context, constant, type Layer, padTo } from "./Layer.ts"

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

/**
 * The context in which, for evaluation, a 1×1 convolution between two normalisations does what the first would: that
 * scales what comes in, which the kernel does as well, and moves it, which comes out as a move of the second's mean. A
 * pass over the widest feature maps is saved. The names are those of the three layers.
 */
export const foldInto = (context: Context, first: string, convolution: string, second: string): Context => {
  const { weights } = context
  const kernel = `${convolution}.weight`
  const [, , mean] = tensorNames(second)
  const [w, b, m, v] = tensorNames(first).map((tensor) => weights[tensor])
  const scale = tf.mul(w, tf.rsqrt(tf.add(v, DEFAULTS.epsilon)))
  const offset = tf.sub(b, tf.mul(m, scale))
  const column = [scale.size, 1]
  const before = weights[kernel]
  const moved = tf.sum(tf.mul(before, tf.reshape(offset, column)), [0, 1, 2])
  return {
    ...context,
    weights: {
      ...weights,
      [kernel]: tf.mul(before, tf.reshape(scale, column)),
      [mean]: tf.sub(weights[mean], moved)
    }
  }
}
