/** From gradients to new parameters: clipping, then the step of each parameter. */
import * as tf from "@tensorflow/tfjs-core"
import { halfSquaredNorm } from "../../Ops/Loss.ts"
import { type MuonOptions, muonStep } from "./Muon.ts"
import { sgdStep } from "./Sgd.ts"

type Tensors = Readonly<Record<string, tf.Tensor>>

/** Where the momentum of a parameter is kept in the state. */
export const momentumOf = (parameter: string): string => `momentum/${parameter}`

export interface OptimizerOptions {
  readonly momentum: number
  /** L2 coefficient. */
  readonly weightDecay: number
  /** L2 coefficient of biases and of normalisations' parameters; that of the others unless given. */
  readonly normWeightDecay?: number | undefined
  /** Learning rate of these as a multiple of that of the others. */
  readonly normRate?: number
  /** Largest global norm of the gradients; longer ones are scaled down to it. */
  readonly clipGradNorm?: number | undefined
  /** Convolutions are trained with Muon, and only the rest with SGD. */
  readonly muon?: MuonOptions | undefined
}

/** Euclidean norm of all tensors together. */
export const globalNorm = (tensors: Tensors): tf.Scalar =>
  tf.sqrt(tf.mul(2, tf.sum(tf.stack(Object.values(tensors).map(halfSquaredNorm)))))

/** What gradients are multiplied with so that their norm is at most `clipGradNorm` (`clip_grad_norm_`). */
const clipFactor = (norm: tf.Scalar, clipGradNorm: number): tf.Scalar =>
  tf.minimum(tf.div(clipGradNorm, tf.add(norm, 1e-6)), 1)

/** Biases, and scales and offsets of normalisations, are the vectors among the parameters. */
const isVector = (parameter: tf.Tensor): boolean => parameter.rank <= 1

/** The filters of convolutions are the only parameters of rank 4. */
const isConvolution = (parameter: tf.Tensor): boolean => parameter.rank === 4

/** Parameters and momenta after a step, as entries of the new state. `norm` is that of the gradients. */
export const optimizerStep = (
  state: Tensors,
  gradients: Tensors,
  norm: tf.Scalar,
  learningRate: tf.Tensor,
  { clipGradNorm, momentum, muon, normRate = 1, normWeightDecay, weightDecay }: OptimizerOptions
): Tensors => {
  const factor = clipGradNorm === undefined ? undefined : clipFactor(norm, clipGradNorm)
  const sgd = { momentum: tf.scalar(momentum), weightDecay }
  const sgdOfVectors = { ...sgd, weightDecay: normWeightDecay ?? weightDecay }
  const rateOfVectors = normRate === 1 ? learningRate : tf.mul(learningRate, normRate)
  const next: Record<string, tf.Tensor> = {}
  for (const [name, gradient] of Object.entries(gradients)) {
    const parameter = state[name]
    const clipped = factor === undefined ? gradient : tf.mul(gradient, factor)
    const buffer = state[momentumOf(name)]
    const update =
      muon !== undefined && isConvolution(parameter)
        ? muonStep(parameter, buffer, clipped, learningRate, muon)
        : isVector(parameter)
          ? sgdStep(parameter, buffer, clipped, rateOfVectors, sgdOfVectors)
          : sgdStep(parameter, buffer, clipped, learningRate, sgd)
    next[name] = update.parameter
    next[momentumOf(name)] = update.momentum
  }
  return next
}
