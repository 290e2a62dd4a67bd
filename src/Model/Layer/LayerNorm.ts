/** Layer normalisation as a layer. */
import type * as tf from "@tensorflow/tfjs-core"
import { layerNorm as normalised } from "../../Ops/LayerNorm.ts"
import { constant, type Layer } from "./Layer.ts"

/** Layer normalisation of each row, with a trained scale and offset for each column: [N,width] → [N,width]. */
export const layerNorm = (
  name: string,
  width: number,
  { epsilon }: { readonly epsilon: number }
): Layer<tf.Tensor2D, tf.Tensor2D> => {
  const [scale, offset] = [`${name}.weight`, `${name}.bias`]
  const shape = [width]
  return {
    tensors: [
      { name: scale, kind: "norm", shape, role: "parameter", initial: constant(1) },
      { name: offset, kind: "bias", shape, role: "parameter", initial: constant(0) }
    ],
    multiplyAdds: 0,
    apply: ({ weights }, x) => normalised(x, weights[scale], weights[offset], epsilon)
  }
}
