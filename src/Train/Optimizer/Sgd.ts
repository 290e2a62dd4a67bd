/** Stochastic gradient descent with Nesterov momentum, as `torch.optim.SGD` does it. */
import * as tf from "@tensorflow/tfjs-core"
import { nonNegative, share, withDefault } from "../../Config/Fields.ts"
import { applyMomentum } from "../../Ops/MomentumUpdate.ts"
import { defineOptimizer, type Optimizer } from "./Define.ts"

/** What is kept of a parameter: the running sum of its gradients (the momentum buffer). */
export const MOMENTUM = "momentum"

export const sgdFields = {
  momentum: share.pipe(withDefault(0.9)),
  /** L2 coefficient: the parameter times this is added to its gradient. */
  weightDecay: nonNegative.pipe(withDefault(5e-4))
}

export interface SgdOptions {
  readonly momentum: number
  readonly weightDecay: number
}

/** In place: weight decay is added to the gradient g, then v ← μv + g and w ← w − η(g + μv). */
export const sgd = (options: SgdOptions): Optimizer => ({
  slots: () => [MOMENTUM],
  update: (parameter, gradient, slots, { learningRate, weightDecay = options.weightDecay }) => {
    const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay))
    const momentum = tf.scalar(options.momentum)
    const updated = applyMomentum(parameter, slots[MOMENTUM], decayed, learningRate, momentum)
    return { parameter: updated.parameter, slots: { [MOMENTUM]: updated.momentum } }
  }
})

export const Sgd = defineOptimizer({ name: "Sgd", fields: sgdFields, make: sgd })
