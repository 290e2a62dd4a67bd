/** Schema fields that several configurations are made of. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A key that may be left out of what is decoded, and has the value then, as it is written. */
export const withDefault = <S extends Schema.Constraint>(
  value: S["Encoded"]
): ((schema: S) => Schema.withDecodingDefaultKey<S>) => Schema.withDecodingDefaultKey(Effect.succeed(value))

/** More epochs, images in a batch, channels or the like than anybody means: loops over them, or memory for them, have an end. */
const MANY = 1_000_000

/** An integer of at least `minimum`, and at most a million or a `maximum`. */
export const atLeast = (minimum: number, maximum = MANY) =>
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum), Schema.isLessThanOrEqualTo(maximum))

/** An integer from 1. */
export const count = atLeast(1)

/** A length in pixels. */
export const pixels = atLeast(1, 4096)

/** How often something is done to each image, or with each gradient. */
export const repeats = atLeast(1, 1000)

/** A number of layers or blocks. */
export const layers = atLeast(1, 10_000)

/** A number above 0. */
export const positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** A number from 0. */
export const nonNegative = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/** A number in [0, 1]. */
export const probability = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** A number in [0, 1): what is dropped, smoothed or kept of the value before. */
export const share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMaximum: true }))

/** A number in (0, 1]. */
export const positiveShare = Schema.Finite.check(
  Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMinimum: true })
)

/** The seed of random draws: an integer in [0, 2^32). */
export const seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_294_967_295 }))

/** A name that is also that of a folder. */
export const folderName = Schema.String.check(
  Schema.isPattern(/^[\w.-]+$/, { expected: "a name of letters, digits, '-', '_' and '.'" })
)
