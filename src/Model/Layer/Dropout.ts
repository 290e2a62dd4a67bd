/**
 * Dropout: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
 * Networks from Overfitting", JMLR 2014.
 */
import * as tf from "@tensorflow/tfjs-core"
import { randomUniform } from "../../Ops/Random.ts"
import type { Layer } from "./Layer.ts"

/** Zeroes each value with probability `rate` in training and divides the others by 1 − rate. */
export const dropout = (name: string, rate: number): Layer => ({
  tensors: [],
  multiplyAdds: 0,
  apply: ({ mode }, x) => {
    if (mode._tag === "Evaluation") return x
    const kept = tf.floor(tf.add(randomUniform(mode.key, `${name}/dropout`, x.shape), 1 - rate))
    return tf.mul(x, tf.div(kept, 1 - rate))
  }
})
