import type { ExperimentInput } from "../Config.ts"

/**
 * The smallest PyramidNet with ShakeDrop that is worth training: 29 layers, for CIFAR-10 on a CPU.
 *
 *   shakedrop train --recipe pyramidnet-small --data-dir DIR
 */
export const pyramidNetSmall: ExperimentInput = {
  name: "pyramidnet-small",
  data: { dataset: "cifar10" },
  augment: [{ _tag: "RandomCrop", padding: 4, mode: "reflect" }, { _tag: "RandomHorizontalFlip" }],
  model: {
    _tag: "PyramidNet",
    depth: 29,
    alpha: 32,
    // So shallow a network has little to spare: fewer residuals are shaken than in the deep ones.
    shakeDrop: { survival: 0.8 }
  },
  train: {
    epochs: 8,
    batchSize: 128,
    learningRate: 0.2,
    schedule: { _tag: "Cosine", warmup: 1 },
    weightDecay: 1e-4,
    clipNorm: 5,
    labelSmoothing: 0.1,
    ema: { decay: 0.998 }
  }
}
