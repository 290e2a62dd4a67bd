import type { ExperimentInput } from "../Config.ts"

/**
 * The first run: a small plain network on the data set that is drawn in code.
 *
 *   shakedrop train --recipe quickstart
 */
export const quickstart: ExperimentInput = {
  name: "quickstart",
  data: { dataset: "shapes" },
  augment: [{ _tag: "RandomCrop", padding: 2, mode: "reflect" }],
  model: { _tag: "SimpleCnn", width: 16 },
  train: {
    epochs: 8,
    batchSize: 64,
    learningRate: 0.1,
    schedule: { _tag: "Cosine", warmup: 1 },
    labelSmoothing: 0.1,
    ema: { decay: 0.99 }
  }
}
