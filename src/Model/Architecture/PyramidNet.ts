/**
 * PyramidNet: Han, Kim, Kim, "Deep Pyramidal Residual Networks", CVPR 2017 (arXiv:1610.02915). Every block
 * is a little wider than the one before; shortcuts have no weights: they are average-pooled where the stride is
 * two, and padded with zero channels.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { layers, nonNegative, withDefault } from "../../Config/Fields.ts"
import { relu } from "../../Ops/Activation.ts"
import { roundHalfEven } from "../../Platform/Rounding.ts"
import { depthProblem } from "../Block/Depth.ts"
import { basic, bottleneck, EXPANSION } from "../Block/PyramidNetBlock.ts"
import { residual } from "../Block/Residual.ts"
import { ShakeDropConfig } from "../Block/ShakeDrop.ts"
import { places } from "../Block/Stages.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { zeroPadded } from "../Layer/Channels.ts"
import { pooledClassifier } from "../Layer/Classifier.ts"
import { conv } from "../Layer/Convolution.ts"
import { type Layer, stateless } from "../Layer/Layer.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type Network, network } from "../Network.ts"

const fields = {
  block: Schema.Literals(["basic", "bottleneck"]).pipe(withDefault("bottleneck")),
  /** Three groups of n blocks: 6n + 2 with basic blocks, 9n + 2 with bottlenecks. */
  depth: layers,
  /** Channels that are added to the first 16 by the last block (the paper's widening factor α). */
  alpha: nonNegative,
  shakeDrop: Schema.optionalKey(ShakeDropConfig)
}

export type PyramidNetOptions = ModelOptions<typeof fields>

const STEM = 16

/** How each block is made up: its convolutions, its output's channels for each of its width, and its branch. */
const BLOCKS = {
  basic: { convolutions: 2, expansion: 1, branch: basic },
  bottleneck: { convolutions: 3, expansion: EXPANSION, branch: bottleneck }
} as const

const halved = stateless((x) => tf.avgPool(x, 2, 2, "same"))

/** The block's input made as small and as wide as its output. */
const shortcut = (stride: 1 | 2, out: number): Layer =>
  sequential(stride === 1 ? [zeroPadded(out)] : [halved, zeroPadded(out)])

/** Width of block `index` (from 1) of `total`: 16 + index·α/total, rounded (eq. 3). */
const widthAt = (alpha: number, index: number, total: number): number =>
  roundHalfEven(STEM + (index * alpha) / total)

/** PyramidNet. `depth` must be 6n + 2 with basic blocks, 9n + 2 with bottlenecks. */
export const pyramidNet = (options: PyramidNetOptions): Network => {
  const { alpha, classes, depth, shakeDrop, size: imageSize } = options
  const { branch: branchOf, convolutions, expansion } = BLOCKS[options.block]
  const perGroup = (depth - 2) / (3 * convolutions)
  const blocks: Array<Layer> = []
  let channels = STEM
  for (const place of places([perGroup, perGroup, perGroup], imageSize)) {
    const { group, index, inGroup, stride, total } = place
    const name = `group${group}.${inGroup}`
    const width = widthAt(alpha, index, total)
    const out = expansion * width
    const branch = branchOf(name, { in: channels, width, place })
    const options = { in: channels, out, place, branch, shortcut: shortcut(stride, out), shakeDrop }
    blocks.push(residual(name, options))
    channels = out
  }
  const features = sequential([
    conv("conv1", { in: 3, out: STEM, kernel: 3, size: imageSize }),
    batchNorm("bn1", STEM),
    ...blocks,
    batchNorm("bn_final", channels),
    stateless(relu)
  ])
  return network(
    `PyramidNet-${depth} α${alpha}${options.block === "basic" ? "" : " bottleneck"}${shakeDrop ? " + ShakeDrop" : ""}`,
    classes,
    pooledClassifier(features, channels, classes)
  )
}

export const PyramidNet = defineModel({
  name: "PyramidNet",
  fields,
  check: ({ block, depth }) => {
    const issue = depthProblem(depth, 3 * BLOCKS[block].convolutions, 2)
    return issue === undefined ? undefined : { path: ["depth"], issue }
  },
  make: pyramidNet,
  capabilities: { recompute: true, resize: true }
})
