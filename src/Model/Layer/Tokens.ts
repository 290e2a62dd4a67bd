/** Tokens of vision transformers: what a feature map becomes, and the one that stands for the class. */
import * as tf from "@tensorflow/tfjs-core"
import { ownChannels } from "../../Ops/Alignment.ts"

/** A token for each pixel of a feature map, row by row: [N,H,W,width] → [N,H·W,width]. */
export const tokensOf = (x: tf.Tensor4D, width: number): tf.Tensor3D =>
  tf.reshape(ownChannels(x, width), [-1, x.shape[1] * x.shape[2], width])

/** The first token of each image, of `tokens`: [N·tokens, width] → [N, width]. */
export const firstTokens = (x: tf.Tensor2D, tokens: number): tf.Tensor2D => {
  const width = x.shape[1]
  const first = tf.slice(tf.reshape(x, [-1, tokens, width]), [0, 0, 0], [-1, 1, -1])
  return tf.reshape(first, [-1, width])
}
