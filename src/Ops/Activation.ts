/** Activation functions: ReLU and GELU. */
import * as tf from "@tensorflow/tfjs-core"
import { FLOAT } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import { differentiable } from "./Gradients.ts"
import { cheap, deferred, forGradient, isCheap } from "./Recompute/Rematerialise.ts"

/** Rectifier. Its gradient needs the output only, so nothing else is kept. Any shape. */
export const relu = <T extends tf.Tensor>(x: T): T => {
  const { record } = recorder()
  const rectify = (x: tf.Tensor): tf.Tensor => record("Relu", [x], [FLOAT])[0]
  const value = differentiable(
    [x],
    (save) => {
      const value = rectify(x)
      save([value])
      return value
    },
    (dy, [value]) => [record("ReluGrad", [dy, forGradient(value, dy)], [FLOAT])[0]]
  ) as T
  // Of a value that is kept the ReLU takes no memory beyond its own output, which then is kept in its place.
  return isCheap(x) ? cheap(value, [x], rectify) : value
}

/** Φ(x), the standard normal distribution's cumulative function. */
const cumulative = (x: tf.Tensor): tf.Tensor => {
  const [erf] = recorder().record("Erf", [tf.mul(x, Math.SQRT1_2)], [FLOAT])
  return tf.add(tf.mul(erf, 0.5), 0.5)
}

/** Gaussian error linear unit x·Φ(x), exact (Hendrycks and Gimpel 2016, arXiv:1606.08415). Any shape. */
export const gelu = <T extends tf.Tensor>(x: T): T => {
  const compute = (x: tf.Tensor): tf.Tensor => tf.mul(x, cumulative(x))
  const value = differentiable(
    [x],
    (save) => {
      save([x])
      return compute(x)
    },
    (dy, [x]) => {
      const again = deferred(x, dy)
      const density = tf.mul(tf.exp(tf.mul(tf.square(again), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [tf.mul(dy, tf.add(cumulative(again), tf.mul(again, density)))]
    }
  ) as T
  return cheap(value, [x], compute)
}
