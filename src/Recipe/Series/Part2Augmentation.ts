import type { Recipe } from "../Recipe.ts"

/**
 * Part 2 of the CIFAR Challenge Series: augmentation. Six convolutions again, in airbench's form with a whitening
 * layer before them, with crop, alternating flip and a small Cutout. AutoAugment, Mixup and CutMix, which the series has
 * here too, lose where a network sees each image 18 times only (docs/series/part2.md); parts 3, 4 and 6 have them.
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
      "91.21 % with six views (90.66 to 91.76), 89.84 % without, raw weights of the last epoch, 10,000 test images, seed 1",
    data: "CIFAR-10, JPEG copy",
    hardware: "2 cores of an AMD EPYC with AVX512_BF16, bfloat16, other work beside it",
    time: "44 min 52 s of training",
    flags: "--set train.precision=bfloat16"
  },
  experiment: {
    name: "part2-augmentation",
    data: { dataset: "cifar10", validation: 0 },
    augment: [
      { _tag: "RandomCrop", padding: 4, mode: "reflect" },
      { _tag: "AlternatingFlip" },
      { _tag: "Cutout", length: 8 }
    ],
    model: { _tag: "Airbench", widths: [64, 256, 256] },
    train: {
      epochs: 18,
      batchSize: 500,
      optimizer: { _tag: "Muon", learningRate: 0.17, sgd: { momentum: 0.85, weightDecay: 0 } },
      learningRate: 0.75,
      paramGroups: { norm: { lrMultiplier: 64 }, bias: { lrMultiplier: 64 } },
      labelSmoothing: 0.2,
      schedule: { _tag: "Linear" },
      tta: "airbench"
    }
  }
}
