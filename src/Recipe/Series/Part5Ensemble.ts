import type { EnsembleRecipe } from "../Recipe.ts"

const runs = "runs/part5-ensemble"

/**
 * Part 5 of the CIFAR Challenge Series: different architectures, snapshots of one run along its warm restarts
 * (Huang et al. 2017, "Snapshot ensembles"), and test-time augmentation.
 *
 *   shakedrop train --recipe part5-ensemble --data-dir DIR
 */
export const part5Ensemble: EnsembleRecipe = {
  summary: "CIFAR Challenge Series, part 5: four architectures, snapshots, test-time augmentation",
  source: "CIFAR Challenge Series, part 5, for the ingredients; which members is this project's choice",
  expected: "98.56 % on CIFAR-10 (the series)",
  ensemble: {
    name: "part5-ensemble",
    data: { dataset: "cifar10" },
    members: [
      { run: `${runs}/pyramidnet110`, recipe: "part4-tricks", weight: 1 },
      { run: `${runs}/wrn28-10`, recipe: "wrn28-10-autoaugment", weight: 1 },
      {
        run: `${runs}/densenet190-40`,
        recipe: "wrn28-10-autoaugment",
        weight: 1,
        experiment: { model: { _tag: "DenseNet", depth: 190, growth: 40 } }
      },
      // The cycles of one run count together as much as another run.
      ...[2, 3, 4].map((snapshot) => ({
        run: `${runs}/preactresnet18-snapshots`,
        checkpoint: snapshot,
        weight: 1 / 3,
        recipe: "wrn28-10-autoaugment",
        experiment: {
          model: { _tag: "PreActResNet", depth: 18 },
          train: { schedule: { _tag: "WarmRestarts", t0: 50 } }
        }
      }))
    ],
    tta: "airbench"
  }
}
