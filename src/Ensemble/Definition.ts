/** An ensemble as data: the contents of an ensemble file. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeStrictly } from "../Config/Decode.ts"
import { ConfigError } from "../Config/Errors.ts"
import { folderName, nonNegative, positive, withDefault } from "../Config/Fields.ts"
import { configurationDifference, isObject, merge } from "../Config/Overlay.ts"
import { RunWeights } from "../Config.ts"
import { DataConfig } from "../Data.ts"
import { findRecipe } from "../Recipe.ts"
import { Views } from "../Train/Evaluate/View.ts"

const weight = nonNegative.pipe(withDefault(1))

const RunMember = Schema.Struct({
  ...RunWeights.fields,
  weight,
  /** What is trained in the folder where there is no finished run: a recipe, and what differs from it. */
  recipe: Schema.optionalKey(Schema.NonEmptyString),
  experiment: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Unknown).check(
      Schema.makeFilter((experiment) =>
        "data" in experiment
          ? { path: ["data"], issue: "expected nothing, for the data are those of the ensemble" }
          : undefined
      )
    )
  )
})

/** The mean of several weights of one network, whose batch statistics are measured anew. */
const SoupMember = Schema.Struct({
  soup: Schema.Array(RunWeights).check(Schema.isMinLength(2)),
  weight
})

export const MemberConfig = Schema.Union([RunMember, SoupMember])
export type MemberConfig = typeof MemberConfig.Type

export const EnsembleConfig = Schema.Struct({
  /** Names the folder of its report. */
  name: folderName,
  /** What members were trained on, and are trained on where they are missing. */
  data: DataConfig,
  members: Schema.Array(MemberConfig).check(
    Schema.isMinLength(1),
    Schema.makeFilter((members) => members.length === 0 || members.some(({ weight }) => weight > 0), {
      expected: "a weight above zero for at least one member"
    })
  ),
  /** How the members' answers become one. */
  rule: Schema.Literals(["MeanProbabilities", "MeanLogits", "MajorityVote", "RankMean"]).pipe(
    withDefault<"MeanProbabilities" | "MeanLogits" | "MajorityVote" | "RankMean">("MeanProbabilities")
  ),
  /** Test-time augmentation: how each image is shown to each member. */
  tta: Views.pipe(Schema.withDecodingDefaultKey(Effect.succeed("identity" as const))),
  /** What is averaged over the views of a member. */
  ttaMean: Schema.Literals(["Logits", "Probabilities"]).pipe(
    withDefault<"Logits" | "Probabilities">("Probabilities")
  ),
  /** What the logarithms of the whole's probabilities are divided by; fitted by `ensemble search`. */
  temperature: Schema.optionalKey(positive),
  /** How weights and temperature were found; written by `ensemble search`. */
  selection: Schema.optionalKey(Schema.NonEmptyString)
})
export type EnsembleConfig = typeof EnsembleConfig.Type
export type EnsembleInput = typeof EnsembleConfig.Encoded

/**
 * Decodes a member by the keys that it has, so that what is wrong with it is said about the kind that was meant.
 * Effect's unions would list the problems with every kind.
 */
const memberProblems = (member: unknown) =>
  decodeStrictly<Schema.Codec<unknown, unknown>>(
    isObject(member) && "soup" in member ? SoupMember : RunMember,
    member
  )

export const decodeEnsemble = Effect.fnUntraced(function* (
  input: unknown
): Effect.fn.Return<EnsembleConfig, ConfigError> {
  const wrong = (problems: string) => new ConfigError({ message: `wrong ensemble: ${problems}` })
  if (isObject(input) && Array.isArray(input.members)) {
    for (const [i, member] of input.members.entries()) {
      yield* Effect.mapError(memberProblems(member), (problems) => wrong(`members.${i}: ${problems}`))
    }
  }
  return yield* Effect.mapError(decodeStrictly(EnsembleConfig, input), wrong)
})

/** Everything that a member takes weights from. */
export const sourcesOf = (member: MemberConfig): ReadonlyArray<RunWeights> =>
  "soup" in member ? member.soup : [member]

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
        message: `members say different things of what is trained in ${run}: ${difference.join("; ")}`
      })
    }
    found = said
  }
  return found
})
