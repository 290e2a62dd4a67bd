/** Layers that add channels to a feature map: of zeros, or those of another map. */
import * as tf from "@tensorflow/tfjs-core"
import { ownChannels, padChannels } from "../../Ops/Alignment.ts"
import { cost, type Layer, stateless } from "./Layer.ts"

/** Zero-padded shortcut: channels of zeros after those of the input, up to `out`. */
export const zeroPadded = (out: number): Layer => stateless((x) => padChannels(x, out))

/** Dense connectivity: the output of a layer behind its input, [N,H,W,inputs] → [N,H,W,inputs + out]. */
export const concatenated = (inputs: number, out: number, layer: Layer): Layer => ({
  ...cost([layer]),
  apply: (context, x) => tf.concat([ownChannels(x, inputs), ownChannels(layer.apply(context, x), out)], 3)
})
