/**
 * Wide residual networks: Zagoruyko, Komodakis, "Wide Residual Networks", BMVC 2016 (arXiv:1605.07146).
 */
import { relu } from "../Device/Ops.ts"
import { batchNorm, conv, cost, halve, type Layer, type Size, sequential, stateless } from "./Layer.ts"
import { type Network, network, pooledClassifier } from "./Network.ts"
import { join, type ShakeDropOptions, shakeDropAt } from "./ShakeDrop.ts"

export interface WideResNetOptions {
  /** 6n + 4: three groups of n blocks of two convolutions. */
  readonly depth: number
  /** Widening factor k: the groups have 16k, 32k and 64k channels. */
  readonly width: number
  readonly shakeDrop?: ShakeDropOptions | undefined
  readonly classes: number
  readonly size: Size
}

const STEM = 16

interface BlockOptions {
  readonly in: number
  readonly out: number
  readonly stride: 1 | 2
  /** Height and width of the block's input. */
  readonly size: Size
  readonly shakeDrop: ShakeDropOptions | undefined
}

/** BN, ReLU, 3×3, BN, ReLU, 3×3. Where the channels change, the shortcut is a 1×1 convolution of the first ReLU. */
const block = (name: string, options: BlockOptions): Layer => {
  const { in: inputs, out, shakeDrop: shake, stride } = options
  const size = stride === 1 ? options.size : halve(options.size)
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
      return join(name, identity, branch.apply(context, activated), shake, context.mode)
    }
  }
}

/** WRN-depth-width. `depth` must be 6n + 4. */
export const wideResNet = (options: WideResNetOptions): Network => {
  const { classes, depth, shakeDrop: shake, size, width } = options
  const perGroup = (depth - 4) / 6
  const total = 3 * perGroup
  const blocks: Array<Layer> = []
  let channels = STEM
  let blockSize = size
  for (let index = 1; index <= total; index++) {
    const group = Math.ceil(index / perGroup)
    const inGroup = index - 1 - (group - 1) * perGroup
    const stride = group > 1 && inGroup === 0 ? 2 : 1
    const out = STEM * width * 2 ** (group - 1)
    const shakeDrop = shakeDropAt(shake, index, total)
    blocks.push(
      block(`block${group}.layer.${inGroup}`, { in: channels, out, stride, size: blockSize, shakeDrop })
    )
    channels = out
    if (stride === 2) blockSize = halve(blockSize)
  }
  const features = sequential([
    conv("conv1", { in: 3, out: STEM, kernel: 3, size }),
    ...blocks,
    batchNorm("bn1", channels),
    stateless(relu)
  ])
  const name = `WRN-${depth}-${width}${shake ? " + ShakeDrop" : ""}`
  return network(name, classes, pooledClassifier(features, channels, classes))
}
