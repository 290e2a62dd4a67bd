import { series } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * Part 6 of the CIFAR Challenge Series: PyramidNet-272 with ShakeDrop, trained for 1,800 epochs. With
 * `--dataset cifar100` it is the series' form for CIFAR-100.
 *
 *   shakedrop train --recipe part6-pyramidnet272 --data-dir DIR
 */
export const part6PyramidNet: Recipe = {
  summary: "CIFAR Challenge Series, part 6: PyramidNet-272 with ShakeDrop, 1,800 epochs",
  source: "CIFAR Challenge Series, part 6: schedule, ranges of ShakeDrop, smoothing and clipping",
  expected: "98.72 % on CIFAR-10 (the series)",
  experiment: {
    name: "part6-pyramidnet272",
    data: { dataset: "cifar10" },
    augment: series,
    model: { _tag: "PyramidNet", depth: 272, alpha: 200, shakeDrop: { survival: 0.5, ranges: "series" } },
    train: {
      epochs: 1800,
      batchSize: 128,
      learningRate: 0.5,
      schedule: { _tag: "LongTraining", warmupEpochs: 10 },
      optimizer: { _tag: "Sgd", weightDecay: 1e-4 },
      clipGradNorm: 1,
      labelSmoothing: 0.1,
      ema: { decay: 0.9999 },
      evaluateEvery: 10
    }
  }
}
