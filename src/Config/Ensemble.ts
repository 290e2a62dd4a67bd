/** An ensemble as data: the contents of an ensemble file. */
import * as Schema from "effect/Schema"
import { DataConfig } from "./Data.ts"
import { folderName, nonNegative, positive, withDefault } from "./Fields.ts"
import { type ImagePipeline, viewsSchema } from "./Views.ts"
import { type ConfiguredAverage, type RunWeights, runWeightsOf } from "./Weights.ts"

const weight = nonNegative.pipe(withDefault(1))

/** The Schemas of the two kinds of members. */
export const memberSchemas = (averages: ReadonlyArray<ConfiguredAverage>) => ({
  run: Schema.Struct({
    ...runWeightsOf(averages).fields,
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
  }),
  /** The mean of several weights of one network, whose batch statistics are measured anew. */
  soup: Schema.Struct({
    soup: Schema.Array(runWeightsOf(averages)).check(Schema.isMinLength(2)),
    weight
  })
})

const memberOf = (averages: ReadonlyArray<ConfiguredAverage>) => {
  const { run, soup } = memberSchemas(averages)
  return Schema.Union([run, soup])
}
export type MemberConfig = ReturnType<typeof memberOf>["Type"]

/** What an ensemble's configuration can name. */
export interface RegisteredInEnsemble {
  readonly averages: ReadonlyArray<ConfiguredAverage>
  /** A pipeline of steps that act on one image. */
  readonly images: ImagePipeline
}

/** The Schema of an ensemble with what is registered. */
export const ensembleSchema = ({ averages, images }: RegisteredInEnsemble) =>
  Schema.Struct({
    /** Names the folder of its report. */
    name: folderName,
    /** What members were trained on, and are trained on where they are missing. */
    data: DataConfig,
    members: Schema.Array(memberOf(averages)).check(
      Schema.isMinLength(1),
      Schema.makeFilter((members) => members.length === 0 || members.some(({ weight }) => weight > 0), {
        expected: "a weight above zero for at least one member"
      })
    ),
    /** How the members' answers become one. */
    rule: Schema.Literals(["MeanProbabilities", "MeanLogits", "MajorityVote", "RankMean"]).pipe(
      withDefault("MeanProbabilities")
    ),
    /** Test-time augmentation: how each image is shown to each member. */
    tta: viewsSchema(images).pipe(withDefault("identity")),
    /** What is averaged over the views of a member; the logits unless given, as in a run's own result. */
    ttaMean: Schema.Literals(["Logits", "Probabilities"]).pipe(withDefault("Logits")),
    /** What the logarithms of the whole's probabilities are divided by; fitted by `ensemble search`. */
    temperature: Schema.optionalKey(positive),
    /** How weights and temperature were found; written by `ensemble search`. */
    selection: Schema.optionalKey(Schema.NonEmptyString)
  })
export type EnsembleConfig = ReturnType<typeof ensembleSchema>["Type"]
export type EnsembleInput = ReturnType<typeof ensembleSchema>["Encoded"]

/** Everything that a member takes weights from. */
export const sourcesOf = (member: MemberConfig): ReadonlyArray<RunWeights> =>
  "soup" in member ? member.soup : [member]
