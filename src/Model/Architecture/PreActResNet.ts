/**
 * Residual networks with pre-activation: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual Networks",
 * ECCV 2016 (arXiv:1603.05027). Two forms are usual for small images:
 *
 * - a depth of 6n + 2, the papers' own: three groups of 16, 32 and 64 channels. Shortcuts have no weights: where
 *   the channels double, every second pixel is taken and channels of zeros are added (option A of He et al. 2016,
 *   "Deep Residual Learning for Image Recognition", section 4.2);
 * - a depth of 18, the ImageNet network with a stem for small images: four groups of 64, 128, 256 and 512 channels,
 *   1×1 convolutions as shortcuts where the channels double.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { count, layers } from "../../Config/Fields.ts"
import { relu } from "../../Ops/Activation.ts"
import { depthProblem } from "../Block/Depth.ts"
import { preActBlock } from "../Block/PreActBlock.ts"
import { type Place, places } from "../Block/Stages.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { zeroPadded } from "../Layer/Channels.ts"
import { pooledClassifier } from "../Layer/Classifier.ts"
import { conv } from "../Layer/Convolution.ts"
import { type Layer, stateless } from "../Layer/Layer.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type Network, network } from "../Network.ts"

const fields = {
  /** 18, or 6n + 2. */
  depth: layers.check(
    Schema.makeFilter((value) =>
      value === 18 || depthProblem(value, 6, 2) === undefined
        ? undefined
        : `a depth of 18 or 6n + 2 (20, 56, 110, …), not ${value}`
    )
  ),
  /** Channels of the first group; 64 for depth 18 and 16 for the others unless given. */
  width: Schema.optionalKey(count)
}

export type PreActResNetOptions = ModelOptions<typeof fields>

/** Every second pixel in each direction, and channels of zeros. */
const subsampled = (out: number): Layer =>
  sequential([stateless((x) => tf.avgPool(x, 1, 2, "same")), zeroPadded(out)])

/** The shortcut of a block, by its name, channels and place; undefined for the block's own input. */
type Shortcut = (name: string, inputs: number, out: number, place: Place) => Layer | undefined

const projection: Shortcut = (name, inputs, out, { size, stride }) =>
  inputs === out ? undefined : conv(`${name}.shortcut.0`, { in: inputs, out, kernel: 1, stride, size })

/** The network's first ReLU comes before its first shortcut leaves (appendix of the paper). */
const withoutWeights: Shortcut = (_, inputs, out, { index }) => {
  if (index === 1) return stateless((x) => x)
  return inputs === out ? undefined : subsampled(out)
}

/** ResNet-depth with pre-activation. `depth` must be 18 or 6n + 2. */
export const preActResNet = (options: PreActResNetOptions): Network => {
  const { classes, depth, size: imageSize } = options
  const wide = depth === 18
  const { width = wide ? 64 : 16 } = options
  const groups = wide ? [2, 2, 2, 2] : new Array<number>(3).fill((depth - 2) / 6)
  const shortcutOf = wide ? projection : withoutWeights
  const blocks: Array<Layer> = []
  let channels = width
  for (const place of places(groups, imageSize)) {
    const name = `layer${place.group}.${place.inGroup}`
    const out = width * 2 ** (place.group - 1)
    const shortcut = shortcutOf(name, channels, out, place)
    blocks.push(preActBlock(name, { in: channels, out, place, shortcut }))
    channels = out
  }
  const features = sequential([
    conv("conv1", { in: 3, out: width, kernel: 3, size: imageSize }),
    ...blocks,
    batchNorm("bn", channels),
    stateless(relu)
  ])
  const name = `PreActResNet-${depth}${options.width === undefined ? "" : ` of ${width} channels`}`
  return network(name, classes, pooledClassifier(features, channels, classes, "linear"))
}

export const PreActResNet = defineModel({
  name: "PreActResNet",
  fields,
  make: preActResNet,
  capabilities: { recompute: true, resize: true }
})
