/** Did you mean: which of the known names somebody may have had in mind. */

/** What is left of a name when its spelling is set aside: `batch_size`, `batch-size` and `batchSize` are the same. */
export const spoken = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")

/** Longer names than this are nobody's slip of the keyboard, and comparing them takes long. */
const LONGEST = 60

/** Edit distance (optimal string alignment): letters that are changed, added, left out, or swapped with the next one. */
export const editDistance = (a: string, b: string): number => {
  let before: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(changed, last[j] + 1, row[j - 1] + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1)
      }
    }
    before = last
    last = row
  }
  return last[b.length]
}

/** How far a name is from the one that is meant; infinite where they have nothing to do with each other. */
const farness = (name: string, candidate: string): number => {
  if (name === candidate) return 0
  const distance = editDistance(name, candidate)
  if (distance <= Math.max(1, Math.floor(Math.min(name.length, candidate.length) / 3))) return distance
  const [short, long] = name.length < candidate.length ? [name, candidate] : [candidate, name]
  // The start of a name, or a part of it: `val` of validation, `resnet` of WideResNet, `multisteplr` of Step.
  if (short.length >= 3 && long.startsWith(short)) return 100 + long.length - short.length
  if (short.length >= 3 && long.includes(short)) return 200 + long.length - short.length
  return Number.POSITIVE_INFINITY
}

/** The candidate that is closest to a name, where one is close. Of several the first. */
export const closest = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = spoken(name)
  if (wanted === "" || wanted.length > LONGEST) return undefined
  let best: { readonly candidate: string; readonly away: number } | undefined
  for (const candidate of candidates) {
    const away = farness(wanted, spoken(candidate))
    if (away < (best?.away ?? Number.POSITIVE_INFINITY)) best = { candidate, away }
  }
  return best?.candidate
}

/** `; did you mean …?`, or nothing. */
export const didYouMean = (suggestion: string | undefined): string =>
  suggestion === undefined ? "" : `; did you mean ${suggestion}?`
