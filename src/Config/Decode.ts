/** Decoding of what users write: every problem at once, in one line that names the keys. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const valueAt = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    input
  )

const describe = (input: unknown, path: ReadonlyArray<PropertyKey>, message: string): string => {
  const key = path.join(".") || "the configuration"
  if (message === "Missing key") return `${key} is missing`
  if (message === "Expected no excess property") return `${key} is not a known key`
  const value = JSON.stringify(valueAt(input, path)) ?? "nothing"
  return `${key}: ${message.charAt(0).toLowerCase()}${message.slice(1)}, got ${value.length > 60 ? `${value.slice(0, 60)}…` : value}`
}

/** A value is not of its schema. `problems` has a line for each key that is wrong, `message` has all in one line. */
export class DecodeError extends Schema.TaggedError<DecodeError>()("DecodeError", {
  problems: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/**
 * Decodes with a schema; unknown keys are errors.
 *
 * @errors DecodeError with every problem in one line, as
 * `train.epochs: expected an integer, got 1.5; train.epoch is not a known key`
 */
export const decodeStrictly = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  input: unknown
): Effect.Effect<S["Type"], DecodeError> =>
  Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })(input).pipe(
    Effect.mapError(({ issue }) => {
      const problems = format(issue).issues.map(({ message, path = [] }) =>
        describe(
          input,
          path.map((part) => (typeof part === "object" ? part.key : part)),
          message
        )
      )
      return new DecodeError({ problems, message: problems.join("; ") })
    })
  )
