import { series } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * Part 3 of the CIFAR Challenge Series: PyramidNet-110, with the augmentation of part 2.
 *
 *   shakedrop train --recipe part3-pyramidnet110 --data-dir DIR
 */
export const part3PyramidNet: Recipe = {
  summary: "CIFAR Challenge Series, part 3: PyramidNet-110",
  source:
    'CIFAR Challenge Series, part 3, for the network; rate, decay and batch of Han, Kim and Kim, "Deep Pyramidal Residual Networks", 2017',
  expected: "96.38 % on CIFAR-10 (the series)",
  experiment: {
    name: "part3-pyramidnet110",
    data: { dataset: "cifar10" },
    augment: series,
    model: { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 84 },
    train: {
      epochs: 200,
      batchSize: 128,
      learningRate: 0.25,
      schedule: { _tag: "Cosine", warmupEpochs: 5 },
      optimizer: { _tag: "Sgd", weightDecay: 1e-4 },
      evaluateEvery: 5
    }
  }
}
