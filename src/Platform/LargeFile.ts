/** Files that are too large to be read or written at once. */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type StorageError, sizeOfFile, storageError, using } from "./Files.ts"

/** A file that is written at its end, until its scope ends. */
export interface Growing {
  /** Bytes that it has when it is opened. */
  readonly size: number
  readonly append: (bytes: Uint8Array) => Effect.Effect<void, StorageError>
  /** Takes everything out of it. */
  readonly clear: Effect.Effect<void, StorageError>
  /** When it returns, what was appended is on the disk. */
  readonly flush: Effect.Effect<void, StorageError>
}

/** Opens a file that is appended to; it is made where there is none. */
export const openGrowing = (file: string): Effect.Effect<Growing, StorageError, Scope.Scope> =>
  using("write", file, (files) =>
    Effect.gen(function* () {
      const handle = yield* files.open(file, { flag: "a" })
      const { size } = yield* handle.stat
      const writing = Effect.mapError(storageError("write", file))
      return {
        size: Number(size),
        append: (bytes) => writing(handle.writeAll(bytes)),
        clear: writing(handle.truncate(0)),
        flush: writing(handle.sync)
      } satisfies Growing
    })
  )

/** SHA-256 (hex) of a file's contents. */
export const sha256OfFile = (file: string): Effect.Effect<string, StorageError> =>
  Effect.andThen(
    sizeOfFile(file),
    using("read", file, (files) =>
      Effect.suspend(() => {
        const hash = createHash("sha256")
        return files.stream(file, { chunkSize: 1 << 20 }).pipe(
          Stream.runForEach((chunk) => Effect.sync(() => hash.update(chunk))),
          Effect.map(() => hash.digest("hex"))
        )
      })
    )
  )
