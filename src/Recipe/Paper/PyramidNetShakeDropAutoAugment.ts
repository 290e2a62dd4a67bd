import { autoAugment } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * PyramidNet-272 with ShakeDrop and AutoAugment: the strongest single network of its time that saw no other data.
 *
 *   shakedrop train --recipe pyramidnet272-shakedrop-autoaugment --data-dir DIR
 */
export const pyramidNetShakeDropAutoAugment: Recipe = {
  summary: "PyramidNet-272 α200 with ShakeDrop and AutoAugment, 1,800 epochs",
  source:
    'Cubuk et al., "AutoAugment", CVPR 2019 (arXiv:1805.09501), table 2; batch, rate, warm-up, decay and clipping of the configuration published with Fast AutoAugment (Lim et al. 2019)',
  expected: "98.5 % on CIFAR-10, 89.3 % on CIFAR-100",
  experiment: {
    name: "pyramidnet272-shakedrop-autoaugment",
    data: { dataset: "cifar10", validation: 0 },
    augment: autoAugment,
    model: {
      _tag: "PyramidNet",
      depth: 272,
      alpha: 200,
      shakeDrop: { survival: 0.5, ranges: "paper", gate: "batch" }
    },
    train: {
      epochs: 1800,
      batchSize: 64,
      learningRate: 0.05,
      schedule: { _tag: "Cosine", warmupEpochs: 5 },
      optimizer: { _tag: "Sgd", weightDecay: 5e-5 },
      clipGradNorm: 5
    }
  }
}
