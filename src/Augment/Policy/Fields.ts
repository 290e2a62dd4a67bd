/** Options that the steps with policies share. */
import * as Schema from "effect/Schema"
import { atLeast, withDefault } from "../../Config/Fields.ts"

const byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))

/** The colour of what comes in from outside of an image that is moved, sheared or turned; black, as in torchvision. */
export const fill = Schema.Tuple([byte, byte, byte]).pipe(withDefault([0, 0, 0]))

/** How many magnitudes an operation has. */
export const bins = atLeast(2, 1000).pipe(withDefault(31))
