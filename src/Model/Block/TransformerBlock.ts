/**
 * A transformer's block with its normalisations first, as the vision transformer has it: x + attention(norm(x)), then
 * x + perceptron(norm(x)). Each half can be computed again in the backward pass.
 */
import * as tf from "@tensorflow/tfjs-core"
import { gelu } from "../../Ops/Activation.ts"
import { type AttentionOptions, selfAttention } from "../Layer/Attention.ts"
import type { Layer } from "../Layer/Layer.ts"
import { layerNorm } from "../Layer/LayerNorm.ts"
import { linear } from "../Layer/Linear.ts"
import { recomputable } from "../Layer/Recomputable.ts"

/** Tokens of all images one after the other, [N·tokens,width], to the same. */
type Tokens = Layer<tf.Tensor2D, tf.Tensor2D>

export interface TransformerBlockOptions extends AttentionOptions {
  /** Of the normalisations. */
  readonly epsilon: number
  /** How many times wider the perceptron is inside. */
  readonly expansion: number
}

/** Two linear layers with GELU between them. */
const perceptron = (name: string, { expansion, start, tokens, width }: TransformerBlockOptions): Tokens => {
  const fc1 = linear(`${name}.fc1`, { in: width, out: expansion * width, ...start })
  const fc2 = linear(`${name}.fc2`, { in: expansion * width, out: width, ...start })
  return {
    tensors: [...fc1.tensors, ...fc2.tensors],
    multiplyAdds: tokens * (fc1.multiplyAdds + fc2.multiplyAdds),
    apply: (context, x) => fc2.apply(context, gelu(fc1.apply(context, x)))
  }
}

/** x + f(norm(x)) */
const residual = (norm: Tokens, f: Tokens): Tokens =>
  recomputable({
    tensors: [...norm.tensors, ...f.tensors],
    multiplyAdds: f.multiplyAdds,
    apply: (context, x) => tf.add(x, f.apply(context, norm.apply(context, x)))
  })

/** The two halves of a block, with timm's names. */
export const transformerBlock = (name: string, options: TransformerBlockOptions): ReadonlyArray<Tokens> => {
  const { width } = options
  return [
    residual(layerNorm(`${name}.norm1`, width, options), selfAttention(`${name}.attn`, options)),
    residual(layerNorm(`${name}.norm2`, width, options), perceptron(`${name}.mlp`, options))
  ]
}
