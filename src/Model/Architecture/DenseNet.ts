/**
 * DenseNet-BC: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", CVPR 2017
 * (arXiv:1608.06993). Every layer of a block sees the outputs of all layers before it; between blocks half of the
 * channels remain.
 */
import { count } from "../../Config/Fields.ts"
import { relu } from "../../Ops/Activation.ts"
import { depth } from "../Block/Depth.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { concatenated } from "../Layer/Channels.ts"
import { pooledClassifier } from "../Layer/Classifier.ts"
import { conv } from "../Layer/Convolution.ts"
import { type Layer, type Size, stateless } from "../Layer/Layer.ts"
import { averagePool, pooledSize } from "../Layer/Pooling.ts"
import { recomputable } from "../Layer/Recomputable.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type Network, network } from "../Network.ts"

const fields = {
  /** 6n + 4: three blocks of n layers of two convolutions. */
  depth: depth(6, 4),
  /** Channels that each layer adds (the paper's k). */
  growth: count
}

export type DenseNetOptions = ModelOptions<typeof fields>

/** A layer's 1×1 convolution gives four times the channels that its 3×3 convolution gives. */
const BOTTLENECK = 4

/** BN, ReLU, 1×1, BN, ReLU, 3×3; what comes out is put behind what went in. */
const denseLayer = (name: string, inputs: number, growth: number, size: Size): Layer => {
  const width = BOTTLENECK * growth
  const branch = sequential([
    batchNorm(`${name}.norm1`, inputs),
    stateless(relu),
    conv(`${name}.conv1`, { in: inputs, out: width, kernel: 1, size }),
    batchNorm(`${name}.norm2`, width),
    stateless(relu),
    conv(`${name}.conv2`, { in: width, out: growth, kernel: 3, size })
  ])
  return recomputable(concatenated(inputs, growth, branch))
}

/** BN, ReLU, 1×1, average pooling. */
const transition = (name: string, inputs: number, out: number, size: Size): Layer =>
  sequential([
    batchNorm(`${name}.norm`, inputs),
    stateless(relu),
    conv(`${name}.conv`, { in: inputs, out, kernel: 1, size }),
    averagePool
  ])

/** DenseNet-BC-depth-growth. `depth` must be 6n + 4. */
export const denseNet = ({ classes, depth, growth, size: imageSize }: DenseNetOptions): Network => {
  const perBlock = (depth - 4) / 6
  let size = imageSize
  let channels = 2 * growth
  const layers: Array<Layer> = [conv("features.conv0", { in: 3, out: channels, kernel: 3, size })]
  for (const block of [1, 2, 3]) {
    if (block > 1) {
      const halved = Math.floor(channels / 2)
      layers.push(transition(`features.transition${block - 1}`, channels, halved, size))
      channels = halved
      size = pooledSize(size)
    }
    for (let i = 1; i <= perBlock; i++) {
      layers.push(denseLayer(`features.denseblock${block}.denselayer${i}`, channels, growth, size))
      channels += growth
    }
  }
  const features = sequential([...layers, batchNorm("features.norm5", channels), stateless(relu)])
  return network(
    `DenseNet-BC-${depth}-${growth}`,
    classes,
    pooledClassifier(features, channels, classes, "classifier")
  )
}

export const DenseNet = defineModel({
  name: "DenseNet",
  fields,
  make: denseNet,
  capabilities: { recompute: true, resize: true }
})
