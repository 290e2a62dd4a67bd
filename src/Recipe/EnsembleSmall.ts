import type { EnsembleRecipe } from "./Recipe.ts"

const runs = "runs/ensemble-small"

const muon = (learningRate: number) => ({
  _tag: "Muon",
  learningRate,
  sgd: { momentum: 0.85, weightDecay: 0 }
})

const schedule = { _tag: "Linear" }

/** airbench's network at half its width, for a few epochs. */
const airbench = (epochs: number, seed: number) => ({
  run: `${runs}/airbench-${epochs}-${seed}`,
  experiment: {
    name: "airbench",
    seed,
    augment: [{ _tag: "RandomCrop", padding: 2, mode: "reflect" }, { _tag: "AlternatingFlip" }],
    model: { _tag: "Airbench", widths: [32, 128, 128] },
    train: {
      epochs,
      batchSize: 500,
      optimizer: muon(0.17),
      learningRate: 0.75,
      paramGroups: { norm: { lrMultiplier: 64 }, bias: { lrMultiplier: 64 } },
      labelSmoothing: 0.2,
      schedule
    }
  }
})

/**
 * Five networks of three architectures that two CPU cores train in about an hour, each asked about six views of the
 * image.
 *
 *   shakedrop train --recipe ensemble-small --data-dir DIR
 */
export const ensembleSmall: EnsembleRecipe = {
  summary: "five small networks of three architectures, with six views, in about an hour on two cores",
  source: "this project",
  expected: "two points more than its best member",
  measured: {
    accuracy: "88.82 %, six views, equal weights, 10,000 test images; its best member alone 86.40 %",
    data: "CIFAR-10, JPEG copy",
    hardware:
      "2 cores of an AMD EPYC with AVX512_BF16, other work beside it; members in bfloat16, trained one by one",
    time: "56 min"
  },
  ensemble: {
    name: "ensemble-small",
    data: { dataset: "cifar10" },
    members: [
      { run: `${runs}/simple-cnn`, recipe: "part1-simple-cnn" },
      {
        run: `${runs}/preactresnet`,
        experiment: {
          name: "preactresnet",
          augment: [{ _tag: "RandomCrop", padding: 4, mode: "reflect" }, { _tag: "AlternatingFlip" }],
          model: { _tag: "PreActResNet", depth: 18, width: 16 },
          train: {
            epochs: 8,
            batchSize: 250,
            optimizer: muon(0.06),
            learningRate: 0.2,
            labelSmoothing: 0.1,
            schedule
          }
        }
      },
      airbench(6, 1),
      airbench(4, 1),
      airbench(6, 3)
    ],
    tta: "airbench",
    // As the result was measured.
    ttaMean: "Probabilities"
  }
}
