/** Sums of squares (TensorFlow's `L2Loss`). */
import type * as tf from "@tensorflow/tfjs-core"
import { FLOAT } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"

/** Half the sum of squares of any tensor, as a scalar. Not differentiable. */
export const halfSquaredNorm = (x: tf.Tensor): tf.Scalar =>
  recorder().record("L2Loss", [x], [FLOAT])[0] as tf.Scalar
