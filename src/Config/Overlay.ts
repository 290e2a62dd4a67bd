/** Configurations as JSON before they are decoded: one laid over another, one value set, and what differs. */
import * as Effect from "effect/Effect"
import { ConfigError } from "./Errors.ts"

/** A JSON object. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `over` laid over `base`: objects key by key, everything else replaced. Objects of another `_tag` are replaced whole. */
export const merge = (base: unknown, over: unknown): unknown => {
  if (!isObject(base) || !isObject(over)) return over
  if (over._tag !== undefined && over._tag !== base._tag) return over
  // As own properties, whatever their names are: `__proto__` has to reach the decoder, which refuses it.
  return Object.fromEntries([
    ...Object.entries(base),
    ...Object.entries(over).map(([key, value]) => [
      key,
      Object.hasOwn(base, key) ? merge(base[key], value) : value
    ])
  ])
}

/** `train.epochs=5` as `{ train: { epochs: 5 } }`. A value that is not JSON is a string. */
export const parseAssignment = (assignment: string): Effect.Effect<unknown, ConfigError> => {
  const split = assignment.indexOf("=")
  const keys = assignment.slice(0, Math.max(0, split)).split(".")
  if (keys.includes("")) {
    return Effect.fail(
      new ConfigError({
        reason: "NotAnAssignment",
        message: `an assignment has the form key=value, for instance train.epochs=5, not ${assignment}`
      })
    )
  }
  const text = assignment.slice(split + 1)
  return Effect.try({ try: (): unknown => JSON.parse(text), catch: () => text }).pipe(
    Effect.orElseSucceed((): unknown => text),
    Effect.map((value) => keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value))
  )
}

/** Every value that differs between two configurations, as `model.alpha: 6 → 7`. */
export const configurationDifference = (before: unknown, after: unknown, key = ""): ReadonlyArray<string> => {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((inner) =>
      configurationDifference(before[inner], after[inner], key === "" ? inner : `${key}.${inner}`)
    )
  }
  const [a, b] = [before, after].map((value) => JSON.stringify(value) ?? "not set")
  return a === b ? [] : [`${key}: ${a} → ${b}`]
}

/** The values of a configuration by their keys, as `train.epochs`. */
export const flattened = (value: unknown, key = ""): ReadonlyArray<readonly [key: string, value: unknown]> =>
  isObject(value)
    ? Object.entries(value).flatMap(([inner, part]) =>
        flattened(part, key === "" ? inner : `${key}.${inner}`)
      )
    : [[key, value]]
