/** Seeds as people write them: `1-50`, `3`, `1-5,11`. */
import * as Flag from "effect/cli/Flag"

/** No more runs than anybody means. */
const MOST = 10_000

/** The seeds of such a text, in rising order, each once; undefined for another text. */
export const parseSeeds = (text: string): ReadonlyArray<number> | undefined => {
  const seeds = new Set<number>()
  for (const part of text.split(",")) {
    const found = /^\s*(\d{1,10})(?:\s*-\s*(\d{1,10}))?\s*$/.exec(part)
    if (found === null) return undefined
    const [from, to] = [Number(found[1]), Number(found[2] ?? found[1])]
    if (to < from || to >= 2 ** 32 || to - from >= MOST) return undefined
    for (let seed = from; seed <= to; seed++) seeds.add(seed)
  }
  return seeds.size > MOST ? undefined : [...seeds].sort((a, b) => a - b)
}

export const seedsFlag = Flag.String("seeds").pipe(
  Flag.withDescription(
    "A run for each of these seeds, such as 1-50 or 1-5,11, with one compilation, and a table of what came of them"
  ),
  Flag.filter(
    (text) => parseSeeds(text) !== undefined,
    (text) => `expected seeds as 1-50 or 1-5,11, got ${text}`
  ),
  Flag.map((text) => parseSeeds(text) ?? []),
  Flag.optional
)
