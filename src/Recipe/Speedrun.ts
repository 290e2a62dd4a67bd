import type { Recipe } from "./Recipe.ts"

/** airbench's network, whitened, with its flips, its label smoothing, its views and Muon. */
const airbench = {
  model: { _tag: "Airbench", widths: [64, 256, 256] },
  train: {
    batchSize: 500,
    optimizer: { _tag: "Muon", learningRate: 0.17, sgd: { momentum: 0.85, weightDecay: 0 } },
    learningRate: 0.75,
    paramGroups: { norm: { lrMultiplier: 64 }, bias: { lrMultiplier: 64 } },
    labelSmoothing: 0.2,
    schedule: { _tag: "Linear" },
    precision: "fastest",
    tta: "airbench"
  }
} as const

/** No image is held out: the epochs are given, and the last weights count. */
const data = { dataset: "cifar10", validation: 0 } as const

const source =
  'network, flips, loss and views of airbench, and Muon (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024); progressive resizing, rates and epochs are this project\'s'

/**
 * To 90 % in few minutes on two CPU cores: more than half of the epochs see smaller images.
 *
 *   shakedrop train --recipe speedrun --data-dir DIR
 */
export const speedrun: Recipe = {
  summary: "to 90 % on two CPU cores while you watch",
  source,
  expected: "90 % with six views on the JPEG copy of CIFAR-10, more on CIFAR-10",
  measured: {
    accuracy:
      "90.42 % with six views, 89.41 % without, raw weights, 10,000 test images, means of seeds 1 to 5 (90.34 to 90.54 %, 89.14 to 89.75 %)",
    data: "CIFAR-10, JPEG copy",
    hardware: "2 cores of an AMD EPYC with AVX512_BF16, bfloat16 (what `fastest` chose)",
    time: "13 min 11 s of training, mean of the five (12 min 43 s to 13 min 34 s)"
  },
  experiment: {
    name: "speedrun",
    data,
    augment: [{ _tag: "RandomCrop", padding: 2, mode: "reflect" }, { _tag: "AlternatingFlip" }],
    model: airbench.model,
    train: {
      ...airbench.train,
      epochs: 9,
      progressiveResizing: [
        { until: 2, scale: 0.5 },
        { until: 5, scale: 0.75 }
      ]
    }
  }
}

/**
 * To 94 % on CIFAR-10: the same for longer, without smaller images.
 *
 *   shakedrop train --recipe speedrun94 --data-dir DIR
 */
export const speedrun94: Recipe = {
  summary: "to 94 % on CIFAR-10, on a GPU or on a CPU with patience",
  source,
  expected:
    "94 % with six views on CIFAR-10 (what airbench94 reaches in 8 to 10 epochs); less on the JPEG copy",
  measured: {
    accuracy:
      "94.59 % with six views (94.13 to 95.02 %), 93.32 % without, raw weights, 10,000 test images, seed 1",
    data: "CIFAR-10",
    hardware: "2 cores of an AMD EPYC with AVX2, float32 (there is no bfloat16)",
    time: "69 min 10 s of training"
  },
  experiment: {
    name: "speedrun94",
    data,
    augment: [{ _tag: "RandomCrop", padding: 2, mode: "reflect" }, { _tag: "AlternatingFlip" }],
    model: airbench.model,
    train: { ...airbench.train, epochs: 12 }
  }
}
