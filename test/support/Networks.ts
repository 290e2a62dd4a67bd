/** One small network of each architecture. */
import type { ModelConfig } from "../../src/Model.ts"

export const smallNetworks: ReadonlyArray<ModelConfig> = [
  { _tag: "SimpleCnn", width: 2 },
  { _tag: "PreActResNet", depth: 8 },
  { _tag: "PreActResNet", depth: 18, width: 3 },
  { _tag: "WideResNet", depth: 10, widenFactor: 1, dropRate: 0.3 },
  {
    _tag: "PyramidNet",
    block: "bottleneck",
    depth: 11,
    alpha: 3,
    shakeDrop: { survival: 0.5, ranges: "paper", gate: "sample" }
  },
  { _tag: "PyramidNet", block: "basic", depth: 8, alpha: 3 },
  { _tag: "DenseNet", depth: 10, growth: 3 },
  { _tag: "VisionTransformer", patchSize: 4, embedDim: 6, depth: 1, numHeads: 2, resize: 12 },
  { _tag: "Airbench", widths: [3, 5, 9], convolutions: 3, logitScale: 1 / 9 }
]
