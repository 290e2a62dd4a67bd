/** `shakedrop serve`: from its flags to a server that works until it is told to end. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Device } from "../../Device.ts"
import { accessLog, type ModelSource, ServeError, serve } from "../../Serve.ts"
import type { ServeInput } from "./Flags.ts"

/** A model by its folder's or its file's name. */
const modelOf = (run: string): ModelSource => ({
  name: path.basename(path.resolve(run)).replace(/\.json$/i, ""),
  version: "1",
  path: run
})

/** Serves until the process is told to end, which is no failure then. */
export const runServe = Effect.fnUntraced(function* (input: ServeInput) {
  const { device, models: named, runs, tokens, ...rest } = input
  const models = [...runs.map(modelOf), ...named]
  if (models.length === 0) {
    return yield* new ServeError({
      reason: "Names",
      message: "there is nothing to serve: name a run's folder"
    })
  }
  const options = { ...rest, models, tokens: Option.getOrUndefined(tokens) }
  const log = accessLog((line) => process.stderr.write(line))
  yield* serve(options, log).pipe(
    Effect.flatMap(({ url }) =>
      Console.log(`ready: ${models.map(({ name }) => name).join(", ")} on ${url} (a page to try it, and /v2)`)
    ),
    Effect.andThen(Effect.never),
    Effect.scoped,
    Effect.provide(Device.layer(device)),
    Effect.onInterrupt(() =>
      Effect.sync(() => {
        process.exitCode = 0
      })
    )
  )
})
