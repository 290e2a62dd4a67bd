import { series } from "./Augmentation.ts"
import type { Recipe } from "./Recipe.ts"

/**
 * Part 2 of the CIFAR Challenge Series: the same network with AutoAugment, Cutout, Mixup and CutMix.
 *
 *   shakedrop train --recipe part2-augmentation --data-dir DIR
 */
export const part2Augmentation: Recipe = {
  summary: "CIFAR Challenge Series, part 2: AutoAugment, Cutout, Mixup and CutMix",
  source: "CIFAR Challenge Series, part 2, for the augmentation; widths and schedule are this project's",
  expected: "93.12 % on CIFAR-10 (the series)",
  experiment: {
    name: "part2-augmentation",
    data: { dataset: "cifar10" },
    augment: series,
    model: { _tag: "SimpleCnn", width: 64 },
    train: {
      epochs: 40,
      batchSize: 128,
      learningRate: 0.1,
      schedule: { _tag: "Cosine", warmup: 2 },
      ema: { decay: 0.998 }
    }
  }
}
