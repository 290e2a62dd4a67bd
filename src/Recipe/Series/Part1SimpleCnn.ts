import { standard } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * Part 1 of the CIFAR Challenge Series: a plain network of six convolutions.
 *
 *   shakedrop train --recipe part1-simple-cnn --data-dir DIR
 */
export const part1SimpleCnn: Recipe = {
  summary: "CIFAR Challenge Series, part 1: a plain network of six convolutions",
  source: "CIFAR Challenge Series, part 1, for the network; widths and schedule are this project's",
  expected: "84.23 % on CIFAR-10 (the series)",
  measured: {
    accuracy: "86.15 %, raw weights, 10,000 test images, seed 1",
    data: "CIFAR-10, JPEG copy",
    hardware: "2 cores of an AMD EPYC with AVX512_BF16, bfloat16, other work beside it",
    time: "25 min 25 s",
    flags: "--set train.precision=bfloat16"
  },
  experiment: {
    name: "part1-simple-cnn",
    data: { dataset: "cifar10" },
    augment: standard,
    model: { _tag: "SimpleCnn", width: 64 },
    train: {
      epochs: 12,
      batchSize: 128,
      learningRate: 0.1,
      schedule: { _tag: "Cosine", warmupEpochs: 1 }
    }
  }
}
