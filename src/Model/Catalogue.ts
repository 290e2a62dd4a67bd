/** The networks that papers report on, as configurations. */
import type { ModelConfig } from "../Model.ts"

export interface Published {
  readonly config: ModelConfig
  /** The paper, or what else describes the network. */
  readonly source: string
}

const resNet = "He et al. 2016, arXiv:1603.05027"
const wide = "Zagoruyko, Komodakis 2016, arXiv:1605.07146"
const pyramid = "Han, Kim, Kim 2017, arXiv:1610.02915"
const shaken = "Yamada et al. 2018, arXiv:1802.02375"
const dense = "Huang et al. 2017, arXiv:1608.06993"
const vit = "Dosovitskiy et al. 2021, arXiv:2010.11929"
const airbench = "Jordan 2024, arXiv:2404.00498"

const shakeDrop = { survival: 0.5, ranges: "paper", gate: "batch" } as const

export const published: ReadonlyArray<Published> = [
  { config: { _tag: "SimpleCnn", width: 32 }, source: "six 3×3 convolutions" },
  { config: { _tag: "PreActResNet", depth: 20 }, source: resNet },
  { config: { _tag: "PreActResNet", depth: 56 }, source: resNet },
  { config: { _tag: "PreActResNet", depth: 110 }, source: resNet },
  { config: { _tag: "PreActResNet", depth: 18 }, source: `${resNet}, for images of 32×32` },
  { config: { _tag: "WideResNet", depth: 16, widenFactor: 4 }, source: wide },
  { config: { _tag: "WideResNet", depth: 28, widenFactor: 10 }, source: wide },
  { config: { _tag: "WideResNet", depth: 28, widenFactor: 10, dropRate: 0.3 }, source: wide },
  { config: { _tag: "WideResNet", depth: 28, widenFactor: 10, shakeDrop }, source: `${wide}; ${shaken}` },
  { config: { _tag: "WideResNet", depth: 40, widenFactor: 10 }, source: wide },
  { config: { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 84 }, source: pyramid },
  { config: { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 270 }, source: pyramid },
  { config: { _tag: "PyramidNet", block: "bottleneck", depth: 164, alpha: 270 }, source: pyramid },
  { config: { _tag: "PyramidNet", block: "bottleneck", depth: 200, alpha: 240 }, source: pyramid },
  { config: { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 270, shakeDrop }, source: shaken },
  { config: { _tag: "PyramidNet", block: "bottleneck", depth: 272, alpha: 200, shakeDrop }, source: shaken },
  { config: { _tag: "DenseNet", depth: 100, growth: 12 }, source: dense },
  { config: { _tag: "DenseNet", depth: 190, growth: 40 }, source: dense },
  {
    config: { _tag: "VisionTransformer", patchSize: 4, embedDim: 192, depth: 12, numHeads: 3 },
    source: `${vit}, as wide as DeiT-Ti (arXiv:2012.12877)`
  },
  {
    config: { _tag: "VisionTransformer", patchSize: 16, embedDim: 768, depth: 12, numHeads: 12, resize: 224 },
    source: vit
  },
  {
    config: { _tag: "Airbench", widths: [64, 256, 256], convolutions: 2, logitScale: 1 / 9 },
    source: `${airbench}, 94 %`
  },
  {
    config: { _tag: "Airbench", widths: [128, 384, 384], convolutions: 2, logitScale: 1 / 9 },
    source: `${airbench}, 95 %`
  },
  {
    config: { _tag: "Airbench", widths: [128, 384, 512], convolutions: 3, logitScale: 1 / 9 },
    source: `${airbench}, 96 %`
  }
]
