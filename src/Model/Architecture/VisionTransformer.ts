/**
 * Vision Transformer: Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at
 * Scale", ICLR 2021 (arXiv:2010.11929). The image is cut into square patches; each becomes a token, one more token
 * is the class's, and blocks of self-attention and a two-layer perceptron follow. Names are those of timm, in
 * which published weights are found (`vit_base_patch16_224`).
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { count, layers, pixels } from "../../Config/Fields.ts"
import { transformerBlock } from "../Block/TransformerBlock.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { conv, fanInBound } from "../Layer/Convolution.ts"
import { constant, cost, type Layer, normal, type Size, uniform } from "../Layer/Layer.ts"
import { layerNorm } from "../Layer/LayerNorm.ts"
import { linear } from "../Layer/Linear.ts"
import { firstTokens, tokensOf } from "../Layer/Tokens.ts"
import { type Network, network } from "../Network.ts"

const fields = {
  /** Side of a patch in pixels. */
  patchSize: pixels,
  /** Length of a token. */
  embedDim: count,
  /** Number of blocks. */
  depth: layers,
  /** Heads of the self-attention; they divide `embedDim`. */
  numHeads: count,
  /** Side in pixels that images are resized to first (bilinearly, in the graph). */
  resize: Schema.optionalKey(pixels)
}

export type VisionTransformerOptions = ModelOptions<typeof fields>

/** Of layer normalisation, as in timm. */
const EPSILON = 1e-6

/** Number of patches in each direction; an incomplete last one is left out. */
const gridOf = ({ patchSize, resize, size }: VisionTransformerOptions): Size => {
  const side = (pixels: number): number => Math.floor((resize ?? pixels) / patchSize)
  return { height: side(size.height), width: side(size.width) }
}

/** Images → tokens with their positions added. The class's token is the first. */
const embedding = (options: VisionTransformerOptions, grid: Size): Layer<tf.Tensor4D, tf.Tensor2D> => {
  const { embedDim, patchSize, resize } = options
  const patches = grid.height * grid.width
  const bound = uniform(fanInBound(patchSize, 3))
  const proj = conv("patch_embed.proj", {
    ...{ in: 3, out: embedDim, kernel: patchSize, stride: patchSize, padding: 0, size: grid },
    ...{ initial: bound, bias: bound }
  })
  return {
    tensors: [
      {
        name: "cls_token",
        kind: "embedding",
        shape: [1, 1, embedDim],
        role: "parameter",
        initial: normal(1e-6)
      },
      {
        name: "pos_embed",
        kind: "embedding",
        shape: [1, patches + 1, embedDim],
        role: "parameter",
        initial: normal(0.02)
      },
      ...proj.tensors
    ],
    multiplyAdds: proj.multiplyAdds,
    apply: (context, x) => {
      const { weights } = context
      const images = resize ? tf.image.resizeBilinear(x, [resize, resize], false, true) : x
      const projected = proj.apply(context, images)
      const tokens = tokensOf(projected, embedDim)
      // The class's token goes where the tokens are padded with zeros: no copy of it for every image is needed.
      const added = tf.add(
        weights.pos_embed,
        tf.pad(weights.cls_token as tf.Tensor3D, [
          [0, 0],
          [0, patches],
          [0, 0]
        ])
      )
      const padded = tf.pad(tokens, [
        [0, 0],
        [1, 0],
        [0, 0]
      ])
      return tf.reshape(tf.add(padded, added), [-1, embedDim])
    }
  }
}

const nameOf = ({ depth, embedDim, numHeads, patchSize }: VisionTransformerOptions): string =>
  embedDim === 768 && depth === 12 && numHeads === 12
    ? `ViT-B/${patchSize}`
    : `ViT-${depth}-${embedDim}/${patchSize}`

/** A vision transformer; its classifier starts at zero, as the paper's does for fine-tuning. */
export const visionTransformer = (options: VisionTransformerOptions): Network => {
  const { classes, depth, embedDim, numHeads } = options
  const grid = gridOf(options)
  const tokens = grid.height * grid.width + 1
  const embed = embedding(options, grid)
  const block = {
    ...{ tokens, width: embedDim, heads: numHeads, expansion: 4, epsilon: EPSILON },
    start: { initial: normal(0.02), bias: constant(0) }
  }
  const blocks = Array.from({ length: depth }, (_, i) => transformerBlock(`blocks.${i}`, block)).flat()
  const last = layerNorm("norm", embedDim, { epsilon: EPSILON })
  const head = linear("head", { in: embedDim, out: classes, initial: constant(0), bias: constant(0) })
  const parts: ReadonlyArray<Pick<Layer, "tensors" | "multiplyAdds">> = [embed, ...blocks, last, head]
  const body: Layer<tf.Tensor4D, tf.Tensor2D> = {
    ...cost(parts),
    apply: (context, x) => {
      const features = blocks.reduce((value, block) => block.apply(context, value), embed.apply(context, x))
      return head.apply(context, last.apply(context, firstTokens(features, tokens)))
    }
  }
  return network(nameOf(options), classes, body, { patches: grid })
}

export const VisionTransformer = defineModel({
  name: "VisionTransformer",
  fields,
  check: ({ embedDim, numHeads, patchSize, resize }) =>
    embedDim % numHeads !== 0
      ? { path: ["numHeads"], issue: `a divisor of embedDim (${embedDim}), not ${numHeads}` }
      : resize !== undefined && resize < patchSize
        ? { path: ["resize"], issue: `at least one patch (${patchSize}), not ${resize}` }
        : undefined,
  make: visionTransformer,
  // Its positions are those of one size.
  capabilities: { recompute: true, resize: false }
})
