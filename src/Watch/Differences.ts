/** What differs in the configurations of runs. */
import { flattened } from "../Config/Overlay.ts"
import type { WatchedRun } from "./Runs.ts"

/** Keys that have columns of their own, or say where something lies. */
const SHOWN_ELSEWHERE = ["name", "data.dataset", "data.directory"]

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

const NOT_SET = "not set"

/** The value that most have; undefined where several are as frequent. */
const commonest = (values: ReadonlyArray<string>): string | undefined => {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a)
  return second !== undefined && second[1] === first[1] ? undefined : first[0]
}

export interface Difference {
  /** As `train.learningRate`. */
  readonly key: string
  readonly value: string
}

/** By run, the keys in which it is not as most are. */
export const differencesOf = (
  runs: ReadonlyArray<WatchedRun>
): ReadonlyMap<WatchedRun, ReadonlyArray<Difference>> => {
  const configured = runs.filter(({ config }) => config !== undefined)
  const values = configured.map(
    ({ config }) => new Map(flattened(config?.experiment).map(([key, value]) => [key, shown(value)]))
  )
  const keys = [...new Set(values.flatMap((map) => [...map.keys()]))].filter(
    (key) => !SHOWN_ELSEWHERE.includes(key)
  )
  const told = configured.map((): Array<Difference> => [])
  for (const key of keys) {
    const ofKey = values.map((map) => map.get(key) ?? NOT_SET)
    const usual = commonest(ofKey)
    ofKey.forEach((value, i) => {
      if (value !== usual) told[i].push({ key, value })
    })
  }
  return new Map(configured.map((run, i) => [run, told[i]]))
}
