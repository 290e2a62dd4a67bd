import { autoAugment } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * WRN-28-10 with AutoAugment.
 *
 *   shakedrop train --recipe wrn28-10-autoaugment --data-dir DIR
 */
export const wideResNetAutoAugment: Recipe = {
  summary: "WRN-28-10 with AutoAugment, 200 epochs",
  source:
    'Cubuk et al., "AutoAugment", CVPR 2019 (arXiv:1805.09501), table 2; batch, rate and decay of Zagoruyko and Komodakis 2016 with a cosine, gradients clipped as in the code published with AutoAugment',
  expected: "97.4 % on CIFAR-10, 82.9 % on CIFAR-100",
  experiment: {
    name: "wrn28-10-autoaugment",
    data: { dataset: "cifar10", validation: 0 },
    augment: autoAugment,
    model: { _tag: "WideResNet", depth: 28, widenFactor: 10 },
    train: {
      epochs: 200,
      batchSize: 128,
      learningRate: 0.1,
      schedule: { _tag: "Cosine" },
      optimizer: { _tag: "Sgd", weightDecay: 5e-4 },
      clipGradNorm: 5
    }
  }
}
