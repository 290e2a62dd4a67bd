/** Self-attention: Vaswani et al., "Attention Is All You Need", NeurIPS 2017 (arXiv:1706.03762). */
import * as tf from "@tensorflow/tfjs-core"
import type { Layer } from "./Layer.ts"
import { type LinearOptions, linear } from "./Linear.ts"

export interface AttentionOptions {
  /** Of each image. */
  readonly tokens: number
  /** Length of a token. */
  readonly width: number
  /** They divide `width`. */
  readonly heads: number
  /** Starts of the two linear layers. */
  readonly start: Pick<LinearOptions, "initial" | "bias">
}

/** Multi-head self-attention among the tokens of each image, with timm's names: [N·tokens,width] → [N·tokens,width]. */
export const selfAttention = (
  name: string,
  { heads, start, tokens, width }: AttentionOptions
): Layer<tf.Tensor2D, tf.Tensor2D> => {
  const qkv = linear(`${name}.qkv`, { in: width, out: 3 * width, ...start })
  const proj = linear(`${name}.proj`, { in: width, out: width, ...start })
  const each = width / heads
  return {
    tensors: [...qkv.tensors, ...proj.tensors],
    multiplyAdds: tokens * (qkv.multiplyAdds + proj.multiplyAdds) + 2 * tokens * tokens * width,
    apply: (context, x) => {
      const split = tf.reshape(qkv.apply(context, x), [-1, tokens, 3, heads, each])
      const [q, k, v] = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]))
      const scores = tf.matMul(tf.mul(q, 1 / Math.sqrt(each)), k, false, true)
      const mixed = tf.matMul(tf.softmax(scores), v)
      return proj.apply(context, tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, width]))
    }
  }
}
