/** Stochastic gradient descent with Nesterov momentum, as `torch.optim.SGD` does it. */
import * as tf from "@tensorflow/tfjs-core"
import { applyMomentum, type MomentumUpdate } from "../../Ops/MomentumUpdate.ts"

/**
 * One step of one parameter, in place: weight decay is added to the gradient, then v ← μv + g and w ← w − η(g + μv).
 * `parameter` and `momentum` are values of the state as the entry point was given them.
 */
export const sgdStep = (
  parameter: tf.Tensor,
  momentum: tf.Tensor,
  gradient: tf.Tensor,
  learningRate: tf.Tensor,
  options: { readonly momentum: tf.Tensor; readonly weightDecay: number }
): MomentumUpdate => {
  const { weightDecay } = options
  const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay))
  return applyMomentum(parameter, momentum, decayed, learningRate, options.momentum)
}
