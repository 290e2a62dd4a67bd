/** Experiments by name. */
import * as Effect from "effect/Effect"
import { ConfigError } from "./Config.ts"
import { part1SimpleCnn } from "./Recipe/Part1SimpleCnn.ts"
import { part2Augmentation } from "./Recipe/Part2Augmentation.ts"
import { part3PyramidNet } from "./Recipe/Part3PyramidNet.ts"
import { part4Tricks } from "./Recipe/Part4Tricks.ts"
import { part6PyramidNet } from "./Recipe/Part6PyramidNet.ts"
import { pyramidNetShakeDropAutoAugment } from "./Recipe/PyramidNetShakeDropAutoAugment.ts"
import { pyramidNetShakeDropPaper } from "./Recipe/PyramidNetShakeDropPaper.ts"
import { pyramidNetSmall } from "./Recipe/PyramidNetSmall.ts"
import { quickstart } from "./Recipe/Quickstart.ts"
import type { Recipe } from "./Recipe/Recipe.ts"
import { simpleCnn } from "./Recipe/SimpleCnn.ts"
import { wideResNetAutoAugment } from "./Recipe/WideResNetAutoAugment.ts"

export type { Measured, Recipe } from "./Recipe/Recipe.ts"

/** From the first run to the longest; each is found under its experiment's name. */
export const recipes: Readonly<Record<string, Recipe>> = Object.fromEntries(
  [
    quickstart,
    simpleCnn,
    pyramidNetSmall,
    part1SimpleCnn,
    part2Augmentation,
    part3PyramidNet,
    part4Tricks,
    part6PyramidNet,
    pyramidNetShakeDropPaper,
    pyramidNetShakeDropAutoAugment,
    wideResNetAutoAugment
  ].map((recipe) => [recipe.experiment.name, recipe])
)

export const findRecipe = (name: string): Effect.Effect<Recipe, ConfigError> =>
  Object.hasOwn(recipes, name)
    ? Effect.succeed(recipes[name])
    : Effect.fail(
        new ConfigError({
          message: `there is no recipe ${name}: there are ${Object.keys(recipes).join(", ")}`
        })
      )
