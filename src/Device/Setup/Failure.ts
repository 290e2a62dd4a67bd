/** Failures of file operations during setup. */
import * as Effect from "effect/Effect"
import { type StorageError, storageError } from "../../Platform/Files.ts"
import { LibraryError, type LibraryReason } from "../Errors.ts"

const reasons: Readonly<Record<StorageError["reason"], LibraryReason>> = {
  Full: "Full",
  Denied: "NotWritable",
  NotFound: "NotWritable",
  WrongPath: "NotWritable",
  AlreadyThere: "NotWritable",
  Damaged: "Storage",
  TooLarge: "Storage",
  Other: "Storage"
}

/** Runs a file operation; what it throws becomes a LibraryError that says what could not be done. */
export const attempt = <A>(
  what: string,
  file: string,
  run: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, LibraryError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => {
      const { message, reason } = storageError(what, file)(cause)
      return new LibraryError({ reason: reasons[reason], message, cause })
    }
  })
