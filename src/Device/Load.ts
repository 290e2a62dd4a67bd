/** Loading libtensorflow, which the device as a service does: who goes past it would have no errors and no scope. */
import * as Effect from "effect/Effect"
import { LibraryError } from "./Errors.ts"
import { type CApi, type LogLevel, openCApi } from "./Library/CApi.ts"
import { VERSION } from "./Setup/Wheels.ts"
import { locateLibrary } from "./Setup.ts"

/** Loads libtensorflow from where it was set up, and checks its version. */
export const loadLibrary: Effect.Effect<CApi, LibraryError> = Effect.suspend(() => loadLogging("errors"))

/** As `loadLibrary`, with so much told on stderr. */
export const loadLogging = Effect.fnUntraced(function* (log: LogLevel): Effect.fn.Return<CApi, LibraryError> {
  const library = yield* locateLibrary
  const api = yield* Effect.try({
    try: () => openCApi(library.file, library.preload, log),
    catch: (cause) =>
      new LibraryError({
        reason: "CannotLoad",
        message: `cannot load ${library.file}: ${String((cause as Error).message).split("\n")[0]}`,
        cause
      })
  })
  const version = api.TF_Version()
  if (version !== VERSION) {
    return yield* new LibraryError({
      reason: "WrongVersion",
      message: `${library.file} is TensorFlow ${version}, but ${VERSION} is needed`
    })
  }
  return api
})
