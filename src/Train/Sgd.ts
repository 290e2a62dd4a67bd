/** Stochastic gradient descent as `torch.optim.SGD` does it: clip, add weight decay, then Nesterov momentum. */
import * as tf from "@tensorflow/tfjs-core"
import { halfSquaredNorm } from "../Device/Ops.ts"
import { applyMomentum } from "../Device/Update.ts"

type Tensors = Readonly<Record<string, tf.Tensor>>

/** Where the momentum of a parameter is kept in the state. */
export const momentumOf = (parameter: string): string => `momentum/${parameter}`

export interface SgdOptions {
  readonly momentum: number
  /** L2 coefficient, on every parameter. */
  readonly weightDecay: number
  /** Largest global norm of the gradients; longer ones are scaled down to it. */
  readonly clipNorm?: number | undefined
}

/** Euclidean norm of all gradients together. */
export const globalNorm = (gradients: Tensors): tf.Scalar =>
  tf.sqrt(tf.mul(2, tf.addN(Object.values(gradients).map(halfSquaredNorm))))

/** What gradients are multiplied with so that their norm is at most `clipNorm` (`clip_grad_norm_`). */
const clipFactor = (norm: tf.Scalar, clipNorm: number): tf.Scalar =>
  tf.minimum(tf.div(clipNorm, tf.add(norm, 1e-6)), 1)

/** Parameters and momenta after a step, as entries of the new state. */
export const sgdStep = (
  state: Tensors,
  gradients: Tensors,
  norm: tf.Scalar,
  learningRate: tf.Tensor,
  { clipNorm, momentum, weightDecay }: SgdOptions
): Tensors => {
  const factor = clipNorm === undefined ? undefined : clipFactor(norm, clipNorm)
  const decay = tf.scalar(momentum)
  const next: Record<string, tf.Tensor> = {}
  for (const [name, gradient] of Object.entries(gradients)) {
    const clipped = factor === undefined ? gradient : tf.mul(gradient, factor)
    const decayed = weightDecay === 0 ? clipped : tf.add(clipped, tf.mul(state[name], weightDecay))
    const update = applyMomentum(state[name], state[momentumOf(name)], decayed, learningRate, decay)
    next[name] = update.parameter
    next[momentumOf(name)] = update.momentum
  }
  return next
}
