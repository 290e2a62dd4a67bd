/** AutoAugment policies in files of their own. */
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../Config/Decode.ts"
import { isObject } from "../../Config/Overlay.ts"
import { readJson } from "../../Platform/Files.ts"
import { AugmentError } from "../Errors.ts"
import { LevelledPolicy } from "./LevelledPolicy.ts"

const readPolicy = (file: string, key: string) =>
  readJson(file).pipe(
    Effect.flatMap((json) => decodeStrictly(LevelledPolicy, json)),
    Effect.mapError(
      ({ message }) =>
        new AugmentError({ reason: "Policy", message: `${key}: the policy is wrong: ${message}, in ${file}` })
    )
  )

/**
 * A configuration, still to be decoded, in which the policies of AutoAugment that are named by a JSON file are read
 * in, wherever they stand: so what a run did is still known after the file has changed.
 *
 * @errors AugmentError where a file cannot be read or has no policy; the message begins with the key
 */
export const readPolicies = Effect.fnUntraced(function* (
  config: unknown,
  path: ReadonlyArray<string> = []
): Effect.fn.Return<unknown, AugmentError> {
  if (Array.isArray(config)) {
    return yield* Effect.forEach(config, (value: unknown, i) => readPolicies(value, [...path, String(i)]))
  }
  if (!isObject(config)) return config
  if (config._tag === "AutoAugment") {
    const { policy } = config
    if (typeof policy !== "string" || !policy.endsWith(".json")) return config
    return { ...config, policy: yield* readPolicy(policy, [...path, "policy"].join(".")) }
  }
  const entries = yield* Effect.forEach(Object.entries(config), ([key, value]) =>
    Effect.map(readPolicies(value, [...path, key]), (read): [string, unknown] => [key, read])
  )
  return Object.fromEntries(entries)
})
