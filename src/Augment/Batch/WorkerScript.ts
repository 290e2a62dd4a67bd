/**
 * The script of worker threads. Threads of Node 20 cannot load TypeScript: run from its source, the library uses the
 * built one, and only where it was built from that source, because it would make other batches without a word.
 */
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { AugmentError } from "../Errors.ts"

const beside = (path: string): URL => new URL(path, import.meta.url)

/** Whether a build is of these sources. What knows that is no part of the package, which is never run from them. */
const isCurrent = async (dist: URL): Promise<boolean> => {
  const build: { readonly isCurrent: (dist: string) => boolean } = await import(
    beside("../../../scripts/sources.mjs").href
  )
  return build.isCurrent(fileURLToPath(dist))
}

/** The script in a build's folder, if it was built from these sources. */
export const builtScript = (dist: URL): Effect.Effect<URL, AugmentError> =>
  Effect.promise(() => isCurrent(dist)).pipe(
    Effect.filterOrFail(
      (current) => current,
      () =>
        new AugmentError({
          reason: "StaleBuild",
          message:
            "threads run what was built, and that is not of these sources: build them, or use no threads"
        })
    ),
    Effect.as(new URL("Augment/Batch/Worker.js", dist))
  )

/** Where the script is that makes the same batches as this thread would. */
export const workerScript: Effect.Effect<URL, AugmentError> = import.meta.url.endsWith(".ts")
  ? Effect.suspend(() => builtScript(beside("../../../dist/")))
  : Effect.succeed(beside("./Worker.js"))
