/** The data set that flags name. */
import * as Effect from "effect/Effect"
import type { DataConfig } from "../../Config/Data.ts"
import { ConfigError } from "../../Config/Errors.ts"

/** Fails where a folder is named that would not be looked at. */
export const checkFolderUsed = ({ dataset, directory }: DataConfig): Effect.Effect<void, ConfigError> =>
  dataset === "shapes" && directory !== undefined
    ? Effect.fail(
        new ConfigError({
          reason: "UnusedFolder",
          message: `the data set shapes is drawn in code, so that ${directory} would not be used`
        })
      )
    : Effect.void

/** Loads the data set that flags name. */
export const loadAsked = Effect.fnUntraced(function* (input: unknown) {
  const { decodeConfig, load } = yield* Effect.promise(() => import("../../Data.ts"))
  const config = yield* decodeConfig(input)
  yield* checkFolderUsed(config)
  return yield* load(config)
})
