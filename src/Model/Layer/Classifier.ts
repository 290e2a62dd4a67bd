/** The end of a network: pooling over the image, and a linear layer. */
import * as tf from "@tensorflow/tfjs-core"
import { cost, type Initial, type Layer, uniform } from "./Layer.ts"

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
      { name: weightName, shape: [out, inputs], role: "parameter", initial },
      ...(bias ? [{ name: biasName, shape: [out], role: "parameter", initial: bias } as const] : [])
    ],
    multiplyAdds: inputs * out,
    apply: ({ weights }, x) => {
      const product = tf.matMul<tf.Tensor2D>(x, weights[weightName] as tf.Tensor2D, false, true)
      return bias ? tf.add<tf.Tensor2D>(product, weights[biasName]) : product
    }
  }
}

/** The first `channels` columns: the others are those that feature maps are padded with. */
export const ownChannels = (x: tf.Tensor2D, channels: number): tf.Tensor2D =>
  x.shape[1] === channels ? x : tf.slice(x, [0, 0], [-1, channels])

/** Mean over height and width of the first `channels` channels: [N,H,W,C] → [N,channels]. */
export const globalAveragePool = (x: tf.Tensor4D, channels: number): tf.Tensor2D =>
  ownChannels(tf.mean<tf.Tensor2D>(x, [1, 2]), channels)

/** Global average pooling and a linear layer on top of features with that many channels. */
export const pooledClassifier = (
  features: Layer,
  channels: number,
  classes: number,
  name = "fc"
): Layer<tf.Tensor4D, tf.Tensor2D> => {
  const fc = linear(name, { in: channels, out: classes })
  return {
    ...cost([features, fc]),
    apply: (context, x) => fc.apply(context, globalAveragePool(features.apply(context, x), channels))
  }
}
