/** Softmax cross entropy, and the L2 loss. */
import * as tf from "@tensorflow/tfjs-core"
import { FLOAT } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import { differentiable } from "./Gradients.ts"

/** Cross entropy of each row against a distribution over classes. logits, labels [N,K] → [N]. */
export const softmaxCrossEntropy = (logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor1D => {
  const { record } = recorder()
  return differentiable(
    [logits],
    (save) => {
      const [value, gradient] = record("SoftmaxCrossEntropyWithLogits", [logits, labels], [FLOAT])
      save([gradient])
      return value
    },
    (dy, [gradient]) => [tf.mul(tf.expandDims(dy, 1), gradient)]
  ) as tf.Tensor1D
}

/** L2 loss as TensorFlow defines it: half the sum of the squares of any tensor, as a scalar. Not differentiable. */
export const halfSquaredNorm = (x: tf.Tensor): tf.Scalar =>
  recorder().record("L2Loss", [x], [FLOAT])[0] as tf.Scalar
