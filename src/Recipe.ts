/** Experiments by name. */
import * as Effect from "effect/Effect"
import { closest, didYouMean } from "./Config/Decode/Suggest.ts"
import { ConfigError } from "./Config.ts"
import { ensembleSmall } from "./Recipe/EnsembleSmall.ts"
import { pyramidNetShakeDropAutoAugment } from "./Recipe/Paper/PyramidNetShakeDropAutoAugment.ts"
import { pyramidNetShakeDropPaper } from "./Recipe/Paper/PyramidNetShakeDropPaper.ts"
import { vitB16Finetune } from "./Recipe/Paper/VitB16Finetune.ts"
import { wideResNetAutoAugment } from "./Recipe/Paper/WideResNetAutoAugment.ts"
import { pyramidNetSmall } from "./Recipe/PyramidNetSmall.ts"
import { quickstart } from "./Recipe/Quickstart.ts"
import type { EnsembleRecipe, Recipe } from "./Recipe/Recipe.ts"
import { part1SimpleCnn } from "./Recipe/Series/Part1SimpleCnn.ts"
import { part2Augmentation } from "./Recipe/Series/Part2Augmentation.ts"
import { part3PyramidNet } from "./Recipe/Series/Part3PyramidNet.ts"
import { part4Tricks } from "./Recipe/Series/Part4Tricks.ts"
import { part5Ensemble } from "./Recipe/Series/Part5Ensemble.ts"
import { part6Ensemble } from "./Recipe/Series/Part6Ensemble.ts"
import { part6PyramidNet } from "./Recipe/Series/Part6PyramidNet.ts"
import { simpleCnn } from "./Recipe/SimpleCnn.ts"
import { speedrun, speedrun94 } from "./Recipe/Speedrun.ts"

export type { EnsembleRecipe, Measured, Recipe } from "./Recipe/Recipe.ts"

/** From the first run to the longest; each is found under its experiment's name. */
export const recipes: Readonly<Record<string, Recipe>> = Object.fromEntries(
  [
    quickstart,
    simpleCnn,
    speedrun,
    speedrun94,
    pyramidNetSmall,
    part1SimpleCnn,
    part2Augmentation,
    part3PyramidNet,
    part4Tricks,
    part6PyramidNet,
    pyramidNetShakeDropPaper,
    pyramidNetShakeDropAutoAugment,
    wideResNetAutoAugment,
    vitB16Finetune
  ].map((recipe) => [recipe.experiment.name, recipe])
)

/** Ensembles by name. */
export const ensembleRecipes: Readonly<Record<string, EnsembleRecipe>> = Object.fromEntries(
  [ensembleSmall, part5Ensemble, part6Ensemble].map((recipe) => [recipe.ensemble.name, recipe])
)

const find = <A>(
  among: Readonly<Record<string, A>>,
  name: string,
  what: string
): Effect.Effect<A, ConfigError> => {
  if (Object.hasOwn(among, name)) return Effect.succeed(among[name])
  const meant = closest(name, Object.keys({ ...among, ...recipes, ...ensembleRecipes }))
  const hint = meant === undefined ? `: there are ${Object.keys(among).join(", ")}` : didYouMean(meant)
  return Effect.fail(new ConfigError({ reason: "NoRecipe", message: `there is no ${what} ${name}${hint}` }))
}

/** The experiment or the ensemble of a name. */
export const findAny = (name: string) =>
  find<Recipe | EnsembleRecipe>({ ...recipes, ...ensembleRecipes }, name, "recipe")

/** The experiment of a name. */
export const findRecipe = (name: string) => find(recipes, name, "recipe")

/** The ensemble of a name. */
export const findEnsembleRecipe = (name: string) => find(ensembleRecipes, name, "recipe of an ensemble")
