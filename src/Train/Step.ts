/** One training step as a pure function of the state and a batch. */
import type * as tf from "@tensorflow/tfjs-core"
import { valueAndGradients } from "../Device/Gradients.ts"
import type { RandomKey } from "../Device/RandomOps.ts"
import type { Network } from "../Model/Network.ts"
import { float32, type TensorRecord } from "../Tensor.ts"
import { averageOf, moveAverages } from "./Average.ts"
import { correctOf, crossEntropy, type MixedLabels, targets } from "./Loss.ts"
import { globalNorm, momentumOf, type SgdOptions, sgdStep } from "./Sgd.ts"

type Tensors = Readonly<Record<string, tf.Tensor>>

export interface StepOptions extends SgdOptions {
  readonly labelSmoothing: number
  /** Whether averages of the weights are kept. */
  readonly ema: boolean
}

export interface StepInput {
  /** Normalised images, [N,H,W,3]. */
  readonly images: tf.Tensor4D
  readonly labels: MixedLabels
  readonly learningRate: tf.Tensor
  /** Decay of the averages at this step. */
  readonly averageDecay: tf.Tensor
  readonly key: RandomKey
}

/** State before the first step: weights, momenta of zero, and averages that start at the weights. */
export const initialState = (network: Network, weights: TensorRecord, ema: boolean): TensorRecord => {
  const state: Record<string, TensorRecord[string]> = { ...weights }
  for (const { name, role, shape } of network.tensors) {
    if (role === "parameter") state[momentumOf(name)] = float32(shape)
    if (ema) state[averageOf(name)] = weights[name]
  }
  return state
}

/** The new state, and of this batch the mean loss, the number of right predictions and the gradients' norm. */
export const trainingStep = (network: Network, options: StepOptions, state: Tensors, input: StepInput) => {
  const { averageDecay, images, key, labels, learningRate } = input
  const parameters: Record<string, tf.Tensor> = {}
  for (const { name, role } of network.tensors) if (role === "parameter") parameters[name] = state[name]

  const { auxiliary, gradients, loss } = valueAndGradients(() => {
    const { logits, statistics } = network.apply(state, images, { _tag: "Training", key })
    return {
      loss: crossEntropy(logits, targets(labels, network.classes, options.labelSmoothing)),
      auxiliary: { ...statistics, logits }
    }
  }, parameters)
  const { logits, ...statistics } = auxiliary

  const gradientNorm = globalNorm(gradients)
  const updated = sgdStep(state, gradients, gradientNorm, learningRate, options)
  const weights: Record<string, tf.Tensor> = { ...statistics }
  for (const name of Object.keys(parameters)) weights[name] = updated[name]
  return {
    state: { ...statistics, ...updated, ...(options.ema ? moveAverages(state, weights, averageDecay) : {}) },
    output: { loss, correct: correctOf(logits as tf.Tensor2D, labels), gradientNorm }
  }
}
