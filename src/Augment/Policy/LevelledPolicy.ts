/** A policy of one's own for `AutoAugment`, as data. */
import * as Schema from "effect/Schema"
import { probability } from "../../Config/Fields.ts"
import { OPERATIONS, WITHOUT_MAGNITUDE } from "../Kernel/Operation.ts"

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
