/**
 * Wide residual networks: Zagoruyko, Komodakis, "Wide Residual Networks", BMVC 2016 (arXiv:1605.07146).
 */
import * as tf from "@tensorflow/tfjs-core"
import { relu } from "../Device/Ops.ts"
import { batchNorm, conv, cost, halve, type Layer, type Size, sequential, stateless } from "./Layer.ts"
import { type Network, network, pooledClassifier } from "./Network.ts"

export interface WideResNetOptions {
  /** 6n + 4: three groups of n blocks of two convolutions. */
  readonly depth: number
  /** Widening factor k: the groups have 16k, 32k and 64k channels. */
  readonly width: number
  readonly classes: number
  readonly size: Size
}

const STEM = 16

/** BN, ReLU, 3×3, BN, ReLU, 3×3. Where the channels change, the shortcut is a 1×1 convolution of the first ReLU. */
const block = (name: string, inputs: number, out: number, stride: 1 | 2, input: Size): Layer => {
  const size = stride === 1 ? input : halve(input)
  const activation = sequential([batchNorm(`${name}.bn1`, inputs), stateless(relu)])
  const branch = sequential([
    conv(`${name}.conv1`, { in: inputs, out, kernel: 3, stride, size }),
    batchNorm(`${name}.bn2`, out),
    stateless(relu),
    conv(`${name}.conv2`, { in: out, out, kernel: 3, size })
  ])
  const projection =
    inputs === out ? undefined : conv(`${name}.convShortcut`, { in: inputs, out, kernel: 1, stride, size })
  return {
    ...cost(projection ? [activation, branch, projection] : [activation, branch]),
    apply: (context, x) => {
      const activated = activation.apply(context, x)
      const identity = projection ? projection.apply(context, activated) : x
      return tf.add(identity, branch.apply(context, activated))
    }
  }
}

/** WRN-depth-width. `depth` must be 6n + 4. */
export const wideResNet = ({ classes, depth, size, width }: WideResNetOptions): Network => {
  const perGroup = (depth - 4) / 6
  const blocks: Array<Layer> = []
  let channels = STEM
  let blockSize = size
  for (let group = 1; group <= 3; group++) {
    const out = STEM * width * 2 ** (group - 1)
    for (let i = 0; i < perGroup; i++) {
      const stride = group > 1 && i === 0 ? 2 : 1
      blocks.push(block(`block${group}.layer.${i}`, channels, out, stride, blockSize))
      channels = out
      if (stride === 2) blockSize = halve(blockSize)
    }
  }
  const features = sequential([
    conv("conv1", { in: 3, out: STEM, kernel: 3, size }),
    ...blocks,
    batchNorm("bn1", channels),
    stateless(relu)
  ])
  return network(`WRN-${depth}-${width}`, classes, pooledClassifier(features, channels, classes))
}
