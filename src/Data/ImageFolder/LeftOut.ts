/** What a search for images leaves out, and how that is told: a line for each kind, so that nothing is missing silently. */
import * as Effect from "effect/Effect"
import { warning } from "../../Events.ts"

/** A file or folder that is left out. */
export interface LeftOut {
  readonly path: string
  /** What it is: a noun whose plural ends in s. */
  readonly what: string
  /** Why it is left out; a `what` has one reason. */
  readonly why: string
}

/** A line for each kind: how many, the first of them, and why. */
export const leftOutLines = (leftOut: ReadonlyArray<LeftOut>): ReadonlyArray<string> => {
  const kinds = new Map<string, { readonly first: LeftOut; count: number }>()
  for (const left of leftOut) {
    const kind = kinds.get(left.what)
    if (kind === undefined) kinds.set(left.what, { first: left, count: 1 })
    else kind.count++
  }
  return Array.from(kinds, ([what, { count, first }]) => {
    const counted = count === 1 ? `1 ${what}` : `${count.toLocaleString("en-GB")} ${what}s`
    return `left out ${counted}, for instance ${first.path}: ${first.why}`
  })
}

/** Tells what is left out. */
export const tellLeftOut = (leftOut: ReadonlyArray<LeftOut>): Effect.Effect<void> =>
  Effect.forEach(leftOutLines(leftOut), warning, { discard: true })
