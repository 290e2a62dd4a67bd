import type { Recipe } from "../Recipe.ts"

/**
 * PyramidNet-272 with ShakeDrop as its authors trained it, with crop and flip alone. With `--dataset cifar100` it is
 * their network for CIFAR-100.
 *
 *   shakedrop train --recipe pyramidnet272-shakedrop-paper --data-dir DIR
 */
export const pyramidNetShakeDropPaper: Recipe = {
  summary: "PyramidNet-272 α200 with ShakeDrop, as in its paper",
  source:
    'Yamada, Iwamura, Akiba and Kise, "ShakeDrop Regularization for Deep Residual Learning", 2018 (arXiv:1802.02375), section 5',
  expected: "98.7 % on CIFAR-10, 86.4 % on CIFAR-100 (as the series' comparison has it)",
  experiment: {
    name: "pyramidnet272-shakedrop-paper",
    data: { dataset: "cifar10", validation: 0 },
    augment: [{ _tag: "RandomCrop", padding: 4, mode: "zero" }, { _tag: "RandomHorizontalFlip" }],
    model: {
      _tag: "PyramidNet",
      depth: 272,
      alpha: 200,
      shakeDrop: { survival: 0.5, ranges: "paper", gate: "batch" }
    },
    train: {
      epochs: 300,
      batchSize: 128,
      learningRate: 0.5,
      schedule: { _tag: "Step", milestones: [150, 225], gamma: 0.1 },
      optimizer: { _tag: "Sgd", weightDecay: 1e-4 }
    }
  }
}
