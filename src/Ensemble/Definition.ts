/** Ensembles in files and recipes: decoding them, and what is to be trained for their members. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { decodeStrictly } from "../Config/Decode.ts"
import type { EnsembleConfig } from "../Config/Ensemble.ts"
import { ConfigError } from "../Config/Errors.ts"
import { configurationDifference, isObject, merge } from "../Config/Overlay.ts"
import { schemas } from "../Experiment.ts"
import { findRecipe } from "../Recipe.ts"

/**
 * Decodes a member by the keys that it has, so that what is wrong with it is said about the kind that was meant.
 * Effect's unions would list the problems with every kind.
 */
const memberProblems = Effect.fnUntraced(function* (member: unknown) {
  const { run, soup } = (yield* schemas).members
  const kind: Schema.Codec<unknown, unknown> = isObject(member) && "soup" in member ? soup : run
  return yield* decodeStrictly(kind, member)
})

export const decodeEnsemble = Effect.fnUntraced(function* (
  input: unknown
): Effect.fn.Return<EnsembleConfig, ConfigError> {
  const wrong = (problems: string) =>
    new ConfigError({ reason: "Wrong", message: `wrong ensemble: ${problems}` })
  if (isObject(input) && Array.isArray(input.members)) {
    for (const [i, member] of input.members.entries()) {
      yield* Effect.mapError(memberProblems(member), ({ message }) => wrong(`members.${i}: ${message}`))
    }
  }
  const { ensemble } = yield* schemas
  return yield* Effect.mapError(decodeStrictly(ensemble, input), ({ message }) => wrong(message))
})

/**
 * What is trained in a run's folder, still to be decoded; undefined where the ensemble does not say.
 *
 * @errors ConfigError where a recipe is not known, or members of the run do not say the same
 */
export const experimentOf = Effect.fnUntraced(function* (
  { data, members }: EnsembleConfig,
  run: string
): Effect.fn.Return<unknown, ConfigError> {
  let found: unknown
  for (const member of members) {
    if ("soup" in member || member.run !== run) continue
    const { experiment, recipe } = member
    if (recipe === undefined && experiment === undefined) continue
    const base = recipe === undefined ? {} : (yield* findRecipe(recipe)).experiment
    const said = { ...(merge(base, experiment ?? {}) as object), data }
    const difference = found === undefined ? [] : configurationDifference(found, said)
    if (difference.length > 0) {
      return yield* new ConfigError({
        reason: "Contradiction",
        message: `members say different things of what is trained in ${run}: ${difference.join("; ")}`
      })
    }
    found = said
  }
  return found
})
