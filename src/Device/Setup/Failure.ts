/** Failures of file operations during setup, each with what to do about it. */
import * as Effect from "effect/Effect"
import { storageError } from "../../Platform/Files.ts"
import { LibraryError } from "../Errors.ts"

const elsewhere = "set XDG_CACHE_HOME to a folder that you can write, and "
const room = "free some space, or set XDG_CACHE_HOME to a folder on a larger disk, and "

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: room,
  EDQUOT: room,
  EACCES: elsewhere,
  EPERM: elsewhere,
  EROFS: elsewhere,
  ENOENT: elsewhere,
  ENOTDIR: elsewhere,
  EEXIST: elsewhere
}

/** Runs a file operation; what it throws becomes a LibraryError that says what could not be done and what to do. */
export const attempt = <A>(
  what: string,
  file: string,
  run: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, LibraryError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => {
      const code = (cause as { readonly code?: string }).code
      const remedy = (code !== undefined && remedies[code]) || ""
      const { message } = storageError(what, file)(cause)
      return new LibraryError({
        message: `${message}; ${remedy}run \`npx shakedrop setup\` again`,
        cause
      })
    }
  })
