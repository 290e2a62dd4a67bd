/** Experiments by name. */
import type { ExperimentInput } from "./Config.ts"
import { pyramidNetSmall } from "./Recipe/PyramidNetSmall.ts"
import { quickstart } from "./Recipe/Quickstart.ts"
import { simpleCnn } from "./Recipe/SimpleCnn.ts"

export const recipes = {
  quickstart,
  "simple-cnn": simpleCnn,
  "pyramidnet-small": pyramidNetSmall
} satisfies Readonly<Record<string, ExperimentInput>>

export type RecipeName = keyof typeof recipes
