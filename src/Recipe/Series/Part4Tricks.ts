import { series } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * Part 4 of the CIFAR Challenge Series: label smoothing, averages of the weights and a long schedule, on the network
 * of part 3. A finished run of part 3 can teach it: `--set 'train.distillation={"teachers":["runs/part3-pyramidnet110"]}'`.
 *
 *   shakedrop train --recipe part4-tricks --data-dir DIR
 */
export const part4Tricks: Recipe = {
  summary: "CIFAR Challenge Series, part 4: label smoothing, EMA, SWA and a long schedule",
  source: "CIFAR Challenge Series, part 4, for the tricks; how much of each is this project's",
  expected: "97.52 % on CIFAR-10 (the series, with distillation)",
  experiment: {
    name: "part4-tricks",
    data: { dataset: "cifar10" },
    augment: series,
    model: { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 84 },
    train: {
      epochs: 300,
      batchSize: 128,
      learningRate: 0.25,
      schedule: { _tag: "LongTraining", warmupEpochs: 10 },
      optimizer: { _tag: "Sgd", weightDecay: 1e-4 },
      clipGradNorm: 5,
      labelSmoothing: 0.1,
      ema: { decay: 0.9999 },
      swa: { start: 250, every: 1 },
      evaluateEvery: 5
    }
  }
}
