/**
 * PyramidNet: Han, Kim, Kim, "Deep Pyramidal Residual Networks", CVPR 2017 (arXiv:1610.02915). Every block
 * is a little wider than the one before; shortcuts have no weights: they are average-pooled where the stride is
 * two, and padded with zero channels.
 */
import * as tf from "@tensorflow/tfjs-core"
import { relu } from "../Device/Ops.ts"
import {
  aligned,
  batchNorm,
  conv,
  cost,
  halve,
  type Layer,
  padTo,
  type Size,
  sequential,
  stateless
} from "./Layer.ts"
import { type Network, network, pooledClassifier } from "./Network.ts"
import { join, type ShakeDropOptions, shakeDropAt } from "./ShakeDrop.ts"

export interface PyramidNetOptions {
  /** 9n + 2 for bottleneck blocks: three groups of n blocks of three convolutions. */
  readonly depth: number
  /** Channels that are added to the first 16 by the last block (the paper's widening factor α). */
  readonly alpha: number
  readonly shakeDrop?: ShakeDropOptions | undefined
  readonly classes: number
  readonly size: Size
}

/** A bottleneck block gives four times its width in channels. */
const EXPANSION = 4
const STEM = 16

interface BlockOptions {
  readonly in: number
  readonly width: number
  readonly stride: 1 | 2
  /** Height and width of the block's input. */
  readonly size: Size
  readonly shakeDrop: ShakeDropOptions | undefined
}

/** The block's input made as small and as wide as its output. */
const shortcut = (x: tf.Tensor4D, stride: 1 | 2, channels: number): tf.Tensor4D => {
  const pooled = stride === 1 ? x : tf.avgPool(x, 2, 2, "same")
  const [n, height, width] = pooled.shape
  return padTo(pooled, [n, height, width, aligned(channels)])
}

/** BN, 1×1, BN, ReLU, 3×3, BN, ReLU, 1×1, BN: no ReLU before the first convolution (the paper's fig. 6d). */
const bottleneck = (name: string, options: BlockOptions): Layer => {
  const { in: inputs, shakeDrop: shake, size, stride, width } = options
  const smaller = stride === 1 ? size : halve(size)
  const out = EXPANSION * width
  const branch = sequential([
    batchNorm(`${name}.bn1`, inputs),
    conv(`${name}.conv1`, { in: inputs, out: width, kernel: 1, size }),
    batchNorm(`${name}.bn2`, width),
    stateless(relu),
    conv(`${name}.conv2`, { in: width, out: width, kernel: 3, stride, size: smaller }),
    batchNorm(`${name}.bn3`, width),
    stateless(relu),
    conv(`${name}.conv3`, { in: width, out, kernel: 1, size: smaller }),
    batchNorm(`${name}.bn4`, out)
  ])
  return {
    ...cost([branch]),
    apply: (context, x) => {
      const residual = branch.apply(context, x)
      const identity = shortcut(x, stride, out)
      return join(name, identity, residual, shake, context.mode)
    }
  }
}

/** Rounds to the nearest integer, halves to the even one, as the reference implementation's language does. */
const roundHalfEven = (x: number): number => {
  const below = Math.floor(x)
  if (x - below !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** Width of block `index` (from 1) of `total`: 16 + index·α/total, rounded (eq. 3). */
const widthAt = (alpha: number, index: number, total: number): number =>
  roundHalfEven(STEM + (index * alpha) / total)

/** PyramidNet of bottleneck blocks. `depth` must be 9n + 2. */
export const pyramidNet = (options: PyramidNetOptions): Network => {
  const { alpha, classes, depth, shakeDrop: shake, size } = options
  const perGroup = (depth - 2) / 9
  const total = 3 * perGroup
  const blocks: Array<Layer> = []
  let channels = STEM
  let blockSize = size
  for (let index = 1; index <= total; index++) {
    const group = Math.ceil(index / perGroup)
    const inGroup = index - 1 - (group - 1) * perGroup
    const stride = group > 1 && inGroup === 0 ? 2 : 1
    const width = widthAt(alpha, index, total)
    blocks.push(
      bottleneck(`group${group}.${inGroup}`, {
        in: channels,
        width,
        stride,
        size: blockSize,
        shakeDrop: shakeDropAt(shake, index, total)
      })
    )
    channels = EXPANSION * width
    if (stride === 2) blockSize = halve(blockSize)
  }
  const features = sequential([
    conv("conv1", { in: 3, out: STEM, kernel: 3, size }),
    batchNorm("bn1", STEM),
    ...blocks,
    batchNorm("bn_final", channels),
    stateless(relu)
  ])
  return network(
    `PyramidNet-${depth} α${alpha}${shake ? " + ShakeDrop" : ""}`,
    classes,
    pooledClassifier(features, channels, classes)
  )
}
