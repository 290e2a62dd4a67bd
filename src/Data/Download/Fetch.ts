/**
 * Fetches a file whose size and checksum are known, over as many connections as it takes.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import * as fs from "node:fs/promises"
import type { IncomingMessage } from "node:http"
import * as path from "node:path"
import { pipeline } from "node:stream/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { publisher } from "../../Events.ts"
import { makeDirectory, StorageError, storageError } from "../../Platform/Files.ts"
import { DataError } from "../Types.ts"
import { requestFrom } from "./Request.ts"

export interface Remote {
  readonly url: string
  /** Size in bytes. */
  readonly bytes: number
  /** Hexadecimal, in lower case. */
  readonly sha256: string
}

type OnProgress = (done: number, total: number) => void

/** The connection was lost, or the server is busy: worth another try. */
class Interrupted extends Data.TaggedError("Interrupted")<{ readonly message: string }> {}

/** Tries in a row without a byte more than before, then it gives up. They wait 1, 2, 4, 8 seconds in between. */
const TRIES = 5

const sizeOf = (file: string): Effect.Effect<number | undefined, StorageError> =>
  Effect.tryPromise({
    try: () =>
      fs.stat(file).then(
        ({ size }) => size,
        (cause: NodeJS.ErrnoException) => {
          if (cause.code === "ENOENT") return undefined
          throw cause
        }
      ),
    catch: storageError("read", file)
  })

const sha256Of = (file: string): Effect.Effect<string, StorageError> =>
  Effect.tryPromise({
    try: async (signal) => {
      const hash = createHash("sha256")
      await pipeline(createReadStream(file), hash, { signal })
      return hash.digest("hex")
    },
    catch: storageError("read", file)
  })

const wrongFile = ({ url, bytes }: Remote, size: number): DataError =>
  new DataError({
    message: `${url} has ${size} bytes, but the official archive has ${bytes}: it is another file; check the mirror's address (--mirror)`
  })

/** What the server said, as an error, unless it sends the file. */
const checkStatus = (url: string, status: number, reason: string): void => {
  if (status === 200 || status === 206) return
  const said = `the server answered ${status} ${reason} for ${url}`
  if (status >= 500 || [408, 416, 425, 429].includes(status)) throw new Interrupted({ message: said })
  throw new DataError({ message: `${said}: check the mirror's address, or try another one (--mirror)` })
}

/** One connection: appends to `part` what it still lacks. A server that cannot resume begins anew. */
const receive = async (remote: Remote, part: string, onProgress: OnProgress, signal: AbortSignal) => {
  const { url, bytes } = remote
  const writing = <A>(promise: Promise<A>): Promise<A> =>
    promise.catch((cause: unknown) => {
      throw storageError("write", part)(cause)
    })
  const handle = await writing(fs.open(part, "a"))
  let response: IncomingMessage | undefined
  try {
    let done = (await writing(handle.stat())).size
    response = await requestFrom(url, done, signal)
    checkStatus(url, response.statusCode ?? 0, response.statusMessage ?? "")
    if (response.statusCode === 200 && done > 0) {
      await writing(handle.truncate(0))
      done = 0
    }
    const announced = response.headers["content-length"]
    if (announced !== undefined && done + Number(announced) !== bytes)
      throw wrongFile(remote, done + Number(announced))
    for await (const chunk of response) {
      if (done + chunk.length > bytes) throw wrongFile(remote, done + chunk.length)
      await writing(handle.appendFile(chunk))
      done += chunk.length
      onProgress(done, bytes)
    }
    if (done < bytes) throw new Interrupted({ message: `the connection ended at byte ${done} of ${bytes}` })
    await writing(handle.sync())
  } finally {
    response?.destroy()
    await handle.close()
  }
}

const receiveOnce = (
  remote: Remote,
  part: string,
  onProgress: OnProgress
): Effect.Effect<void, DataError | StorageError | Interrupted> =>
  Effect.tryPromise({
    try: (signal) => receive(remote, part, onProgress, signal),
    catch: (cause) =>
      cause instanceof DataError || cause instanceof StorageError || cause instanceof Interrupted
        ? cause
        : new Interrupted({ message: reasonOf(cause) })
  })

/** Where a name has several addresses, the error of none of them has a message of its own. */
const reasonOf = (cause: unknown): string => {
  const { message, code } = cause as NodeJS.ErrnoException
  return code === "ECONNRESET" ? "the connection was cut" : message || code || String(cause)
}

/** Connects again and again until the file is complete, as long as that brings it forward. */
const receiveAll = Effect.fnUntraced(function* (remote: Remote, part: string, onProgress: OnProgress) {
  let tries = 0
  let most = 0
  for (;;) {
    const done = (yield* sizeOf(part)) ?? 0
    if (done >= remote.bytes) return
    const lost = yield* receiveOnce(remote, part, onProgress).pipe(
      Effect.as(undefined),
      Effect.catchTag("Interrupted", Effect.succeed)
    )
    if (lost === undefined) return
    const arrived = (yield* sizeOf(part)) ?? 0
    tries = arrived > Math.max(most, done) ? 1 : tries + 1
    most = Math.max(most, arrived)
    if (tries === TRIES)
      return yield* new DataError({
        message: `cannot download ${remote.url}: ${lost.message}; run the command again to go on with what has arrived (${part}), or fetch the file in another way`
      })
    const seconds = 2 ** (tries - 1)
    yield* Effect.logWarning(`${lost.message}: trying again in ${seconds} s`)
    yield* Effect.sleep(`${seconds} seconds`)
  }
})

/**
 * Downloads to `file`, through `file.part`, which a later call goes on with. `file` appears complete and verified,
 * or not at all; one that is there already and right is left alone.
 *
 * @errors DataError for a server that refuses or has another file, a connection that stays lost, or a wrong
 * checksum; StorageError for a disk that cannot be written.
 */
export const fetchFile = Effect.fn("fetchFile")(function* (remote: Remote, file: string) {
  const publish = yield* publisher
  const onProgress: OnProgress = (done, total) =>
    publish({ _tag: "Download", file: path.basename(file), done, total })
  const present = yield* sizeOf(file)
  if (present !== undefined) {
    if (present === remote.bytes && (yield* sha256Of(file)) === remote.sha256) return
    return yield* new DataError({
      message: `${file} is there already, but it is not the official archive or is damaged: remove it and run the command again`
    })
  }
  yield* makeDirectory(path.dirname(file))
  const part = `${file}.part`
  const remove = Effect.tryPromise({
    try: () => fs.rm(part, { force: true }),
    catch: storageError("remove", part)
  })
  yield* receiveAll(remote, part, onProgress)
  const sha256 = yield* sha256Of(part)
  if (sha256 !== remote.sha256) {
    yield* remove
    return yield* new DataError({
      message: `${remote.url} arrived with the SHA-256 ${sha256} instead of ${remote.sha256}, so it is damaged or another file, and was removed: run the command again, or use another mirror (--mirror)`
    })
  }
  yield* Effect.tryPromise({ try: () => fs.rename(part, file), catch: storageError("write", file) })
})
