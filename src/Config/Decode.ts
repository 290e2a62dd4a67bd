/** Decoding of what users write: the problems at once, in one line that names the keys. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { someOf } from "../Platform/Text.ts"
import { describeProblems } from "./Decode/Problems.ts"

/** Problems that are told in one line. */
const MOST = 6

/** A value is not of its schema. `problems` has a line for each key that is wrong, `message` has the first ones in one line. */
export class DecodeError extends Schema.TaggedError<DecodeError>()("DecodeError", {
  problems: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/**
 * Decodes with a schema; unknown keys are errors.
 *
 * @errors DecodeError with the first problems in one line, as
 * `train.epochs: expected an integer, got 1.5; train.epoch is not a known key`
 */
export const decodeStrictly = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  input: unknown
): Effect.Effect<S["Type"], DecodeError> =>
  Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })(input).pipe(
    Effect.mapError(({ issue }) => {
      const problems = describeProblems(issue, { ast: schema.ast, input })
      return new DecodeError({ problems, message: someOf(problems, MOST, "; ") })
    })
  )
