/** The end of a network: pooling over the image, and a linear layer. */
import type * as tf from "@tensorflow/tfjs-core"
import { cost, type Layer } from "./Layer.ts"
import { linear } from "./Linear.ts"
import { globalAveragePool } from "./Pooling.ts"

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
