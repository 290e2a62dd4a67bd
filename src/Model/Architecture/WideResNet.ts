/**
 * Wide residual networks: Zagoruyko, Komodakis, "Wide Residual Networks", BMVC 2016 (arXiv:1605.07146).
 */
import * as Schema from "effect/Schema"
import { count, share } from "../../Config/Fields.ts"
import { relu } from "../../Ops/Activation.ts"
import { depth } from "../Block/Depth.ts"
import { preActBlock } from "../Block/PreActBlock.ts"
import { ShakeDropConfig } from "../Block/ShakeDrop.ts"
import { places } from "../Block/Stages.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { pooledClassifier } from "../Layer/Classifier.ts"
import { conv } from "../Layer/Convolution.ts"
import { type Layer, stateless } from "../Layer/Layer.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type Network, network } from "../Network.ts"

const fields = {
  /** 6n + 4: three groups of n blocks of two convolutions. */
  depth: depth(6, 4),
  /** Widening factor k: the groups have 16k, 32k and 64k channels. */
  widenFactor: count,
  /** Share of the values between the convolutions of a block that training drops. */
  dropRate: Schema.optionalKey(share),
  shakeDrop: Schema.optionalKey(ShakeDropConfig)
}

export type WideResNetOptions = ModelOptions<typeof fields>

const STEM = 16

/** WRN-depth-widenFactor. `depth` must be 6n + 4. */
export const wideResNet = (options: WideResNetOptions): Network => {
  const { classes, depth, dropRate, shakeDrop, size: imageSize, widenFactor } = options
  const perGroup = (depth - 4) / 6
  const blocks: Array<Layer> = []
  let channels = STEM
  for (const place of places([perGroup, perGroup, perGroup], imageSize)) {
    const { group, inGroup, size, stride } = place
    const name = `block${group}.layer.${inGroup}`
    const out = STEM * widenFactor * 2 ** (group - 1)
    const shortcut =
      channels === out
        ? undefined
        : conv(`${name}.convShortcut`, { in: channels, out, kernel: 1, stride, size })
    blocks.push(preActBlock(name, { in: channels, out, place, shortcut, dropRate, shakeDrop }))
    channels = out
  }
  const features = sequential([
    conv("conv1", { in: 3, out: STEM, kernel: 3, size: imageSize }),
    ...blocks,
    batchNorm("bn1", channels),
    stateless(relu)
  ])
  const extras = `${dropRate ? " + dropout" : ""}${shakeDrop ? " + ShakeDrop" : ""}`
  return network(
    `WRN-${depth}-${widenFactor}${extras}`,
    classes,
    pooledClassifier(features, channels, classes)
  )
}

export const WideResNet = defineModel({
  name: "WideResNet",
  fields,
  make: wideResNet,
  capabilities: { recompute: true, resize: true }
})
