/**
 * AdamW: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019 (arXiv:1711.05101), as
 * `torch.optim.AdamW` does it: Adam with bias correction, and weight decay that shrinks the parameter itself.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { nonNegative, positive, share, withDefault } from "../../Config/Fields.ts"
import { defineOptimizer } from "./Define.ts"

/** What is kept of a parameter, under PyTorch's names: running means of its gradient and of the gradient's square. */
const [MEAN, SQUARE] = ["exp_avg", "exp_avg_sq"]

/** 1 − βᵗ, also where it is small. `t` is a float32 scalar. */
const correction = (beta: number, t: tf.Tensor): tf.Tensor => tf.neg(tf.expm1(tf.mul(t, Math.log(beta))))

/** The running mean after a value: β·mean + (1 − β)·value. */
const moved = (mean: tf.Tensor, value: tf.Tensor, beta: number): tf.Tensor =>
  tf.add(tf.mul(mean, beta), tf.mul(value, 1 - beta))

export const AdamW = defineOptimizer({
  name: "AdamW",
  fields: {
    /** Of the running means of gradients and of their squares. */
    betas: Schema.Tuple([share, share]).pipe(withDefault([0.9, 0.999])),
    /** Added to the root of the mean square. */
    eps: positive.pipe(withDefault(1e-8)),
    /** The share of a parameter, times the learning rate, that each step takes away. */
    weightDecay: nonNegative.pipe(withDefault(0.01))
  },
  make: ({ betas: [beta1, beta2], eps, weightDecay: own }) => ({
    slots: () => [MEAN, SQUARE],
    update: (parameter, gradient, slots, { learningRate, step, weightDecay = own }) => {
      const t = tf.add(tf.cast(step, "float32"), 1)
      const mean = moved(slots[MEAN], gradient, beta1)
      const square = moved(slots[SQUARE], tf.square(gradient), beta2)
      const root = tf.sqrt(tf.div(square, correction(beta2, t)))
      const direction = tf.div(tf.div(mean, correction(beta1, t)), tf.add(root, eps))
      const decayed =
        weightDecay === 0 ? parameter : tf.mul(parameter, tf.sub(1, tf.mul(learningRate, weightDecay)))
      return {
        parameter: tf.sub(decayed, tf.mul(learningRate, direction)),
        slots: { [MEAN]: mean, [SQUARE]: square }
      }
    }
  })
})
