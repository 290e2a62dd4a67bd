/** Slurm's lists of hosts: `node[01-03,7],login` are `node01`, `node02`, `node03`, `node7` and `login`. */

/** Parts of a list, at commas that are not within brackets. */
const parts = (list: string): ReadonlyArray<string> => list.match(/(?:[^,[]|\[[^\]]*\])+/g) ?? []

const numbers = (range: string): ReadonlyArray<string> => {
  const [first, last = first] = range.split("-")
  const count = Number(last) - Number(first) + 1
  return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(first.length, "0"))
}

const expand = (part: string): ReadonlyArray<string> => {
  const bracket = /^([^[]*)\[([^\]]*)\](.*)$/.exec(part)
  if (bracket === null) return [part]
  const [, before, ranges, after] = bracket
  const rest = expand(after)
  return ranges
    .split(",")
    .flatMap(numbers)
    .flatMap((number) => rest.map((end) => `${before}${number}${end}`))
}

/** The hosts of a list, in its order. */
export const hostsIn = (list: string): ReadonlyArray<string> => parts(list).flatMap(expand)
