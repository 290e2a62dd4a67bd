/** What is done to the images of a training batch, as data. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { decodeStrictly } from "../Config/Decode.ts"
import { atLeast, count, positive, probability, withDefault } from "../Config/Fields.ts"
import { OPERATIONS, WITHOUT_MAGNITUDE } from "./Kernel/Operation.ts"
import { POLICY_NAMES } from "./Policy/Policy.ts"

const byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))

/** Least and greatest of something, in order. */
const range = (value: Schema.Codec<number>) =>
  Schema.Tuple([value, value]).check(
    Schema.makeFilter(([low, high]) =>
      low <= high ? undefined : "expected the least value before the greatest"
    )
  )

/** The colour of what comes in from outside of an image that is moved, sheared or turned; black, as in torchvision. */
const fill = Schema.Tuple([byte, byte, byte]).pipe(withDefault<readonly [number, number, number]>([0, 0, 0]))

/** A window of the image's own size, moved by up to `padding` pixels along each axis; `mode` says what is outside. */
export const RandomCrop = Schema.TaggedStruct("RandomCrop", {
  padding: count,
  mode: Schema.Literals(["reflect", "zero", "edge"])
})

/** Mirrors left to right with probability `p`. */
export const RandomHorizontalFlip = Schema.TaggedStruct("RandomHorizontalFlip", {
  p: probability.pipe(withDefault(0.5))
})

/**
 * Mirrors a half of the images, drawn once, in every even epoch and the other half in every odd one: Jordan, "94 %
 * on CIFAR-10 in 3.29 seconds on a single GPU", 2024, section 3.6.
 */
export const AlternatingFlip = Schema.TaggedStruct("AlternatingFlip", {})

/**
 * Hides squares of `length` pixels whose centres lie anywhere in the image, so that they may reach over its border:
 * DeVries and Taylor, "Improved regularization of convolutional neural networks with Cutout", 2017. Images are
 * normalised on the device, so what is hidden gets the data set's mean colour rounded to whole grey levels: zero
 * after normalisation, up to half a grey level.
 */
export const Cutout = Schema.TaggedStruct("Cutout", {
  length: count,
  holes: count.pipe(withDefault(1))
})

/**
 * Hides a box of random size, shape and place with probability `p`: Zhong et al., "Random erasing data
 * augmentation", AAAI 2020, with torchvision's defaults. What is hidden gets the mean colour, as in `Cutout`, or
 * random values.
 */
export const RandomErasing = Schema.TaggedStruct("RandomErasing", {
  p: probability.pipe(withDefault(0.5)),
  scale: range(probability).pipe(withDefault<readonly [number, number]>([0.02, 0.33])),
  ratio: range(positive).pipe(withDefault<readonly [number, number]>([0.3, 3.3])),
  value: Schema.Literals(["mean", "random"]).pipe(withDefault<"mean" | "random">("mean"))
})

const LevelledOperation = Schema.Tuple([
  Schema.Literals(OPERATIONS),
  probability,
  Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })))
]).check(
  Schema.makeFilter(([operation, , level]) => {
    if (WITHOUT_MAGNITUDE.has(operation) === (level === null)) return undefined
    return level === null
      ? `a level from 0 to 9 is what ${operation} needs`
      : `null is the only level that ${operation} takes`
  })
)

/** Sub-policies as lists of `[operation, probability, level]`, the level from 0 to 9, or null where there is none. */
export const LevelledPolicy = Schema.NonEmptyArray(Schema.NonEmptyArray(LevelledOperation))

const DecodedPolicy = Schema.Union([Schema.Literals(POLICY_NAMES), LevelledPolicy])

/** A JSON file is read when it is named, so that what a run did is still known after the file has changed. */
const readPolicy = (policy: unknown): Effect.Effect<unknown, SchemaIssue.Issue> => {
  if (typeof policy !== "string" || !policy.endsWith(".json")) return Effect.succeed(policy)
  return Effect.try({
    try: (): unknown => JSON.parse(readFileSync(policy, "utf8")),
    catch: (cause) => (cause as Error).message
  }).pipe(
    Effect.flatMap((json) => decodeStrictly(LevelledPolicy, json)),
    Effect.mapError((why) => new SchemaIssue.InvalidValue({ message: `the policy is wrong: ${why}` }, policy))
  )
}

/** A policy by name, by its sub-policies, or by the path of a JSON file with them. */
export const PolicySource = Schema.Unknown.pipe(
  Schema.decodeTo(DecodedPolicy, {
    decode: SchemaGetter.transformEffect(readPolicy) as SchemaGetter.Getter<
      (typeof DecodedPolicy)["Encoded"],
      unknown
    >,
    encode: SchemaGetter.passthroughSupertype()
  })
)

/** Does a sub-policy, drawn for each image: Cubuk et al., "AutoAugment", CVPR 2019, as in torchvision. */
export const AutoAugment = Schema.TaggedStruct("AutoAugment", {
  policy: PolicySource.pipe(Schema.withDecodingDefaultKey(Effect.succeed("cifar10"))),
  fill
})

const bins = atLeast(2).pipe(withDefault(31))

/** Does `n` operations, all at magnitude `m` of `bins`: Cubuk et al., "RandAugment", 2019, as in torchvision. */
export const RandAugment = Schema.TaggedStruct("RandAugment", {
  n: count.pipe(withDefault(2)),
  m: atLeast(0).pipe(withDefault(9)),
  bins,
  fill
}).check(
  Schema.makeFilter(({ bins, m }) =>
    m < bins ? undefined : { path: ["m"], issue: `expected a magnitude below the ${bins} bins` }
  )
)

/** Does one operation at a random magnitude: Müller and Hutter, "TrivialAugment", ICCV 2021, as in torchvision. */
export const TrivialAugmentWide = Schema.TaggedStruct("TrivialAugmentWide", { bins, fill })

const alpha = positive.pipe(withDefault(1))

/** Blends each image of a batch with another one: λ ~ Beta(α, α), for a share `p` of the batches. */
export const Mixup = Schema.TaggedStruct("Mixup", { alpha, p: probability.pipe(withDefault(1)) })

/** Puts a box of another image into each image of a batch: λ ~ Beta(α, α), for a share `p` of the batches. */
export const CutMix = Schema.TaggedStruct("CutMix", { alpha, p: probability.pipe(withDefault(1)) })

/** Does Mixup or CutMix, drawn for each batch; `switchProb` is the probability of CutMix, `p` that of either. */
export const MixupCutMix = Schema.TaggedStruct("MixupCutMix", {
  mixupAlpha: alpha,
  cutMixAlpha: alpha,
  switchProb: probability.pipe(withDefault(0.5)),
  p: probability.pipe(withDefault(1))
})

/** A step on one image. */
export const ImageStep = Schema.Union([
  RandomCrop,
  RandomHorizontalFlip,
  AlternatingFlip,
  Cutout,
  RandomErasing,
  AutoAugment,
  RandAugment,
  TrivialAugmentWide
])
export type ImageStep = typeof ImageStep.Type

/** A step on a whole batch. */
export const BatchStep = Schema.Union([Mixup, CutMix, MixupCutMix])
export type BatchStep = typeof BatchStep.Type

export const Step = Schema.Union([...ImageStep.members, ...BatchStep.members])
export type Step = typeof Step.Type

const mixes = (step: Step): step is BatchStep =>
  step._tag === "Mixup" || step._tag === "CutMix" || step._tag === "MixupCutMix"

/** Steps in the order in which they are done; one that mixes the batch can only be the last. */
export const Pipeline = Schema.Array(Step).check(
  Schema.makeFilter((steps) =>
    steps.flatMap((step, i) =>
      mixes(step) && i < steps.length - 1
        ? [{ path: [i], issue: `only the last step can be ${step._tag}, which mixes the whole batch` }]
        : []
    )
  )
)
export type Pipeline = typeof Pipeline.Type
