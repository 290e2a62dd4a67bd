/** What is done to the images of a training batch, as data. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const withDefault = <A>(value: A) => Schema.withDecodingDefaultKey<Schema.Codec<A, A>>(Effect.succeed(value))

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const probability = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** A window of the image's own size, moved by up to `padding` pixels along each axis. */
export const RandomCrop = Schema.TaggedStruct("RandomCrop", {
  padding: count,
  mode: Schema.Literals(["reflect", "zero", "edge"])
})

/** Mirrors left to right with probability `p`. */
export const RandomHorizontalFlip = Schema.TaggedStruct("RandomHorizontalFlip", {
  p: probability.pipe(withDefault(0.5))
})

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

export const Step = Schema.Union([RandomCrop, RandomHorizontalFlip, Cutout])
export type Step = typeof Step.Type

/** Steps in the order in which they are done. */
export const Pipeline = Schema.Array(Step)
export type Pipeline = typeof Pipeline.Type
