/** Depths that papers give to networks of equal groups of blocks. */
import * as Schema from "effect/Schema"
import { layers } from "../../Config/Fields.ts"

/** Why a depth is not one of `convolutions`·n + `rest` layers, n at least 1; undefined where it is. */
export const depthProblem = (value: number, convolutions: number, rest: number): string | undefined =>
  value > rest && (value - rest) % convolutions === 0
    ? undefined
    : `a depth of ${convolutions}n + ${rest} (${convolutions + rest}, ${2 * convolutions + rest}, …), not ${value}`

/** A depth of `convolutions`·n + `rest` layers. */
export const depth = (convolutions: number, rest: number) =>
  layers.check(Schema.makeFilter((value) => depthProblem(value, convolutions, rest)))
