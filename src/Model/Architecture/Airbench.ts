/**
 * The network of the speed records: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024
 * (arXiv:2404.00498). A fixed first convolution whitens patches of 2×2 pixels; three groups of convolutions follow,
 * normalised with a trained bias only, and a linear layer whose output is scaled down.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { count, positive, withDefault } from "../../Config/Fields.ts"
import { gelu } from "../../Ops/Activation.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { type BatchNormOptions, batchNorm } from "../Layer/BatchNorm.ts"
import { type ConvOptions, conv, dirac, fanInBound } from "../Layer/Convolution.ts"
import { constant, cost, type Layer, normal, type Size, stateless, uniform } from "../Layer/Layer.ts"
import { linear } from "../Layer/Linear.ts"
import { globalMaxPool, maxPool, pooledSize } from "../Layer/Pooling.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type Network, network } from "../Network.ts"
import { PATCH, WHITENED, whiteningFilters } from "../Weights/Whitening.ts"

const fields = {
  /** Channels of the three groups: 64, 256, 256 for 94 %; 128, 384, 384 for 95 %; 128, 384, 512 for 96 %. */
  widths: Schema.Tuple([count, count, count]),
  /** Convolutions of a group: 2, or 3 with a shortcut over the last two. */
  convolutions: Schema.Literals([2, 3]).pipe(withDefault(2)),
  /** What logits are multiplied with: 1/9, or 1/256 in the form that Muon trains. */
  logitScale: positive.pipe(withDefault(1 / 9))
}

export type AirbenchOptions = ModelOptions<typeof fields>

/** Training images from which the whitening is computed. */
const IMAGES = 5000

/** 3×3; the first channels start as those of the input, the others as PyTorch's do. */
const convolution = (inputs: number, out: number, size: Size): ConvOptions => {
  const rest = uniform(fanInBound(3, inputs))
  return { in: inputs, out, kernel: 3, size, initial: dirac(3, inputs, out, rest) }
}

/** Convolution, max-pooling, and one or two more convolutions, each normalised and followed by a GELU. */
const group = (
  name: string,
  inputs: number,
  out: number,
  convolutions: 2 | 3,
  size: Size,
  normalisation: BatchNormOptions
): Layer => {
  const norm = (index: number): Layer => batchNorm(`${name}.norm${index}`, out, normalisation)
  const inner = convolution(out, out, pooledSize(size))
  const first = sequential([
    conv(`${name}.conv1`, convolution(inputs, out, size)),
    maxPool,
    norm(1),
    stateless(gelu)
  ])
  const second = sequential([conv(`${name}.conv2`, inner), norm(2), stateless(gelu)])
  if (convolutions === 2) return sequential([first, second])
  const third = sequential([conv(`${name}.conv3`, inner), norm(3)])
  return {
    ...cost([first, second, third]),
    apply: (context, x) => {
      const before = first.apply(context, x)
      const after = third.apply(context, second.apply(context, before))
      return gelu(tf.add(before, after))
    }
  }
}

/** The network; its whitening filters start at random until they are computed from images (`dataInit`). */
export const airbench = (options: AirbenchOptions): Network => {
  const { classes, convolutions, logitScale, size: imageSize, widths } = options
  // Scales stay 1, so that normalising after max-pooling is the same as before it.
  const normalisation = { momentum: convolutions === 2 ? 0.4 : 0.1, epsilon: 1e-12, trainedScale: false }
  // A side of one pixel has no patch of two.
  const border = Math.min(imageSize.height, imageSize.width) > 1 ? 0 : 0.5
  let size = { height: imageSize.height - 1 + 2 * border, width: imageSize.width - 1 + 2 * border }
  const whiten = conv("whiten", {
    ...{ in: 3, out: WHITENED, kernel: PATCH, padding: border, size, trained: false },
    ...{ initial: normal(1 / Math.sqrt(WHITENED / 2)), bias: constant(0) }
  })
  const layers: Array<Layer> = [whiten, stateless(gelu)]
  let channels = WHITENED
  for (const [i, width] of widths.entries()) {
    layers.push(group(`layers.${i + 1}`, channels, width, convolutions, size, normalisation))
    size = pooledSize(size)
    channels = width
  }
  const features = sequential(layers)
  const last = channels
  // Whatever the scale, logits start as large as with PyTorch's start and the papers' 1/9.
  const bound = 1 / (9 * logitScale * Math.sqrt(last))
  const head = linear("head", { in: last, out: classes, initial: uniform(bound), bias: null })
  return network(
    `airbench ${widths.join("/")}${convolutions === 3 ? " of three convolutions" : ""}`,
    classes,
    {
      ...cost([features, head]),
      apply: (context, x) =>
        tf.mul(head.apply(context, globalMaxPool(features.apply(context, x), last)), logitScale)
    },
    { dataInit: { images: IMAGES, values: (images) => ({ "whiten.weight": whiteningFilters(images) }) } }
  )
}

export const Airbench = defineModel({
  name: "Airbench",
  fields,
  make: airbench,
  capabilities: { recompute: false, resize: true }
})
