import type { EnsembleRecipe } from "../Recipe.ts"

const recipe = "part6-pyramidnet272"
/** The same training for a WideResNet. */
const wide = {
  model: { _tag: "WideResNet", depth: 40, widenFactor: 10, shakeDrop: { survival: 0.5, ranges: "series" } }
}
const runs = "runs/part6-ensemble"

/**
 * The final ensemble of the CIFAR Challenge Series: three PyramidNet-272 and two WideResNet-40-10, all with
 * ShakeDrop, each asked about the image and its mirror image.
 *
 *   shakedrop train --recipe part6-ensemble --data-dir DIR
 */
export const part6Ensemble: EnsembleRecipe = {
  summary: "CIFAR Challenge Series, part 6: three PyramidNet-272, two WRN-40-10, with flips",
  source: "CIFAR Challenge Series, part 6: members, weights and views",
  expected: "99.12 % on CIFAR-10, 87.8 % on CIFAR-100 (the series)",
  ensemble: {
    name: "part6-ensemble",
    data: { dataset: "cifar10" },
    members: [
      ...[1, 2, 3].map((seed) => ({
        run: `${runs}/pyramidnet272-${seed}`,
        recipe,
        experiment: { seed },
        weight: 1.2
      })),
      ...[1, 2].map((seed) => ({
        run: `${runs}/wrn40-10-${seed}`,
        recipe,
        experiment: { ...wide, seed },
        weight: 1
      }))
    ],
    tta: "flip"
  }
}
