import type { Recipe } from "./Recipe.ts"

/**
 * Part 2 of the CIFAR Challenge Series: augmentation. Six convolutions again, in airbench's form with a whitening
 * layer before them, with crop, alternating flip and Cutout. AutoAugment, Mixup and CutMix, which the series has here
 * too, lost where a network saw its images 40 times only (docs/augmentation.md); parts 3, 4 and 6 have them.
 *
 *   shakedrop train --recipe part2-augmentation --data-dir DIR
 */
export const part2Augmentation: Recipe = {
  summary: "CIFAR Challenge Series, part 2: augmentation, for six convolutions that learn fast",
  source:
    'CIFAR Challenge Series, part 2; network, augmentation and Muon of airbench (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024); rates and epochs are this project\'s',
  expected: "93.12 % on CIFAR-10 (the series)",
  measured: {
    accuracy:
      "89.60 %, raw weights, 10,000 test images, seed 1 (90.83 % with the six views of `ensemble evaluate`)",
    data: "CIFAR-10, JPEG copy",
    hardware: "2 cores of an AMD EPYC with AVX512_BF16, bfloat16, other work beside it",
    time: "48 min 13 s",
    flags: "--set train.precision=bfloat16"
  },
  experiment: {
    name: "part2-augmentation",
    data: { dataset: "cifar10" },
    augment: [
      { _tag: "RandomCrop", padding: 4, mode: "reflect" },
      { _tag: "AlternatingFlip" },
      { _tag: "Cutout", length: 12 }
    ],
    model: { _tag: "Airbench", widths: [64, 256, 256] },
    train: {
      epochs: 16,
      batchSize: 500,
      optimizer: { _tag: "Muon", learningRate: 0.08 },
      learningRate: 0.4,
      momentum: 0.85,
      normRate: 64,
      weightDecay: 0,
      labelSmoothing: 0.2,
      schedule: { _tag: "Linear" }
    }
  }
}
