import type { ExperimentInput } from "../Config.ts"

/**
 * Six convolutions on CIFAR-10, as a baseline that two cores train in minutes.
 *
 *   shakedrop train --recipe simple-cnn --data-dir DIR
 */
export const simpleCnn: ExperimentInput = {
  name: "simple-cnn",
  data: { dataset: "cifar10" },
  augment: [{ _tag: "RandomCrop", padding: 4, mode: "reflect" }, { _tag: "RandomHorizontalFlip" }],
  model: { _tag: "SimpleCnn", width: 32 },
  train: {
    epochs: 12,
    batchSize: 128,
    learningRate: 0.1,
    schedule: { _tag: "Cosine", warmup: 1 },
    labelSmoothing: 0.1,
    ema: { decay: 0.998 }
  }
}
