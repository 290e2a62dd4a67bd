/** What of the runs is asked for, by an address: which, in what order, and whose curves. */
import { type Difference, differencesOf } from "./Differences.ts"
import { accuracyOf, epochsOf, secondsOf } from "./Numbers.ts"
import type { WatchedRun } from "./Runs.ts"

export const COLUMNS = ["name", "state", "recipe", "data", "accuracy", "epochs", "time", "changed"] as const
export type Column = (typeof COLUMNS)[number]

export interface Choice {
  /** Words that a run must have, and comparisons such as `accuracy>90`. */
  readonly words: string
  readonly sort: Column
  readonly descending: boolean
  /** Names of runs whose curves are shown; the first ones of the table unless there are any. */
  readonly chosen: ReadonlyArray<string>
}

/** Runs whose curves are shown together at most, and where none is chosen. */
export const MOST_CURVES = 8
const USUAL_CURVES = 3

/** Characters of a filter that are looked at. */
const LONGEST = 200

const isColumn = (name: string | null): name is Column => COLUMNS.some((column) => column === name)

/** Columns that are read from the largest down. */
const fallsFirst = (column: Column): boolean => !["name", "recipe", "data"].includes(column)

export const choiceOf = (query: URLSearchParams): Choice => {
  const asked = query.get("sort")
  const sort = isColumn(asked) ? asked : "changed"
  const order = query.get("order")
  return {
    words: (query.get("q") ?? "").slice(0, LONGEST),
    sort,
    descending: order === null ? fallsFirst(sort) : order !== "up",
    chosen: query.getAll("run").slice(0, MOST_CURVES)
  }
}

/** The address of a choice. */
export const addressOf = ({ chosen, descending, sort, words }: Choice): string => {
  const query = new URLSearchParams({
    ...(words !== "" && { q: words }),
    ...(sort !== "changed" && { sort }),
    ...(descending !== fallsFirst(sort) && { order: descending ? "down" : "up" })
  })
  for (const name of chosen) query.append("run", name)
  const text = query.toString()
  return text === "" ? "/" : `/?${text}`
}

/** The choice that a click on a column's head leads to. */
export const sortedBy = (choice: Choice, column: Column): Choice => ({
  ...choice,
  sort: column,
  descending: choice.sort === column ? !choice.descending : fallsFirst(column)
})

type Value = string | number | undefined

/** What a run is sorted by; what it has not comes last. */
const sortingBy = (run: WatchedRun, column: Column): Value => {
  switch (column) {
    case "name":
      return run.name
    case "state":
      return ["unreadable", "stopped", "finished", "training"].indexOf(run.state)
    case "recipe":
      return run.config?.experiment.name
    case "data":
      return run.config?.dataset.name
    case "accuracy":
      return accuracyOf(run)?.value
    case "epochs":
      return epochsOf(run).done
    case "time":
      return secondsOf(run)
    case "changed":
      return run.changed
  }
}

const compare = (a: Value, b: Value, descending: boolean): number => {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  const order =
    typeof a === "number" && typeof b === "number"
      ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true })
  return descending ? -order : order
}

/** `accuracy>90`, `epochs<10` or `time<5`, in per cent, epochs and minutes. */
const COMPARISON = /^(accuracy|epochs|time)([<>])(\d+(?:\.\d+)?)$/

const numberOf = (run: WatchedRun, name: string): number | undefined => {
  if (name === "epochs") return epochsOf(run).done
  const [value, unit] = name === "accuracy" ? [accuracyOf(run)?.value, 100] : [secondsOf(run), 1 / 60]
  return value === undefined ? undefined : value * unit
}

const fits = (run: WatchedRun, differences: ReadonlyArray<Difference>, word: string): boolean => {
  const comparison = COMPARISON.exec(word)
  if (comparison !== null) {
    const [, name, sign, limit] = comparison
    const value = numberOf(run, name)
    return value !== undefined && (sign === "<" ? value < Number(limit) : value > Number(limit))
  }
  const { config, name, state } = run
  const text = [
    name,
    state,
    config?.experiment.name,
    config?.dataset.name,
    config?.experiment.model._tag,
    ...differences.map(({ key, value }) => `${key}=${value}`)
  ]
  return text.some((part) => part?.toLowerCase().includes(word))
}

export interface Chosen {
  readonly runs: ReadonlyArray<WatchedRun>
  /** How many there are without the filter. */
  readonly all: number
  readonly differences: ReadonlyMap<WatchedRun, ReadonlyArray<Difference>>
  /** Those whose curves are shown. */
  readonly curves: ReadonlyArray<WatchedRun>
}

/** Filters and sorts runs. */
export const choose = (all: ReadonlyArray<WatchedRun>, choice: Choice): Chosen => {
  const differences = differencesOf(all)
  const words = choice.words.toLowerCase().split(/\s+/).filter(Boolean)
  const runs = all
    .filter((run) => words.every((word) => fits(run, differences.get(run) ?? [], word)))
    .toSorted((a, b) => compare(sortingBy(a, choice.sort), sortingBy(b, choice.sort), choice.descending))
  const chosen = all.filter(({ name }) => choice.chosen.includes(name))
  const usual = runs.filter(({ metrics }) => metrics.length > 0).slice(0, USUAL_CURVES)
  return { runs, all: all.length, differences, curves: choice.chosen.length > 0 ? chosen : usual }
}
