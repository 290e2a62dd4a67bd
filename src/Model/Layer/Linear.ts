/** Fully connected layers. */
import * as tf from "@tensorflow/tfjs-core"
import { type Initial, type Layer, uniform } from "./Layer.ts"

export interface LinearOptions {
  readonly in: number
  readonly out: number
  /** Starts; uniform in ±1/√in unless given, as PyTorch's do. */
  readonly initial?: Initial
  /** `null` for a layer without bias. */
  readonly bias?: Initial | null
}

/** Fully connected layer, weights [out, in]: [N,in] → [N,out]. */
export const linear = (name: string, options: LinearOptions): Layer<tf.Tensor2D, tf.Tensor2D> => {
  const { in: inputs, out } = options
  const { initial = uniform(1 / Math.sqrt(inputs)), bias = uniform(1 / Math.sqrt(inputs)) } = options
  const [weightName, biasName] = [`${name}.weight`, `${name}.bias`]
  return {
    tensors: [
      { name: weightName, kind: "linear", shape: [out, inputs], role: "parameter", initial },
      ...(bias
        ? [{ name: biasName, kind: "bias", shape: [out], role: "parameter", initial: bias } as const]
        : [])
    ],
    multiplyAdds: inputs * out,
    apply: ({ weights }, x) => {
      const product = tf.matMul<tf.Tensor2D>(x, weights[weightName] as tf.Tensor2D, false, true)
      return bias ? tf.add<tf.Tensor2D>(product, weights[biasName]) : product
    }
  }
}
