/** Max-pooling over NHWC. */
import type * as tf from "@tensorflow/tfjs-core"
import { ints, type Padding, windowed } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import { differentiable } from "./Gradients.ts"
import { forGradient } from "./Recompute/Rematerialise.ts"

/**
 * The largest value of each channel in windows of that height and width. What it is taken of need not be kept if it is
 * cheap. x [N,H,W,C] → [N,H',W',C].
 */
export const maxPool = (
  x: tf.Tensor4D,
  window: readonly [height: number, width: number],
  stride: number,
  padding: Padding
): tf.Tensor4D => {
  const { record } = recorder()
  const attributes = [...windowed(stride, padding), ints("ksize", [1, ...window, 1])]
  return differentiable(
    [x],
    (save) => {
      const [value] = record("MaxPool", [x], attributes)
      save([x, value])
      return value
    },
    (dy, [x, value]) => [record("MaxPoolGrad", [forGradient(x, dy), value, dy], attributes)[0]]
  ) as tf.Tensor4D
}
