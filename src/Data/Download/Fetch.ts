/**
 * Fetches a file whose size and checksum are known, over as many connections as it takes.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Stream from "effect/Stream"
import { Events, warning } from "../../Events.ts"
import { kindOf, WEB_PAGE } from "../../Platform/FileKind.ts"
import { type FileLocked, lockFile } from "../../Platform/FileLock.ts"
import { makeDirectory, remove, rename, type StorageError, sizeOfFile } from "../../Platform/Files.ts"
import { httpClient } from "../../Platform/HttpClient.ts"
import { openGrowing, sha256OfFile } from "../../Platform/LargeFile.ts"
import { DataError } from "../Types.ts"
import { Interrupted, NoAnswer, requestFrom } from "./Request.ts"

export interface Remote {
  readonly url: string
  /** Size in bytes. */
  readonly bytes: number
  /** Hexadecimal, in lower case. */
  readonly sha256: string
}

interface Download extends Remote {
  readonly client: HttpClient
  /** Where the file is to be, and where it grows. */
  readonly file: string
  readonly part: string
  readonly onProgress: (done: number) => void
}

/** Tries in a row without a byte more than before, then it gives up. They wait 1, 2, 4, 8 seconds in between. */
const TRIES = 5

const sizeOf = (file: string): Effect.Effect<number | undefined, StorageError> =>
  Effect.catchIf(
    sizeOfFile(file),
    ({ reason }) => reason === "NotFound",
    () => Effect.succeed(undefined)
  )

const wrongSize = ({ url, bytes }: Remote, size: number): DataError =>
  new DataError({
    reason: "OtherFile",
    message: `${url} has ${size} bytes, but the official archive has ${bytes}: it is another file`
  })

/** One connection: appends to the part what it still lacks. A server that cannot resume begins anew. */
const receive = Effect.fnUntraced(function* (download: Download) {
  const { bytes, client, onProgress, part, url } = download
  const growing = yield* openGrowing(part)
  const answer = yield* requestFrom(client, url, growing.size)
  if (answer.from !== growing.size) yield* growing.clear
  if (answer.from !== growing.size && answer.from !== 0) {
    return yield* new Interrupted({ message: "the server sent another part than was asked for" })
  }
  if (answer.to !== undefined && answer.to !== bytes) return yield* wrongSize(download, answer.to)
  let done = answer.from
  yield* Stream.runForEach(answer.bytes, (chunk): Effect.Effect<void, DataError | StorageError> => {
    if (done === 0 && kindOf(chunk) === WEB_PAGE) {
      return Effect.fail(new DataError({ reason: "OtherFile", message: `${url} is ${WEB_PAGE}` }))
    }
    if (done + chunk.length > bytes) return Effect.fail(wrongSize(download, done + chunk.length))
    return Effect.map(growing.append(chunk), () => {
      done += chunk.length
      onProgress(done)
    })
  })
  if (done < bytes) {
    return yield* new Interrupted({ message: `the connection ended at byte ${done} of ${bytes}` })
  }
  yield* growing.flush
}, Effect.scoped)

const unreachable = ({ file, url }: Download, why: string): DataError =>
  new DataError({ reason: "Unreachable", path: file, message: `cannot download ${url}: ${why}` })

/** Connects again and again until the file is complete, as long as that brings it forward. */
const receiveAll = Effect.fnUntraced(function* (download: Download) {
  let tries = 0
  let most = 0
  let answered = false
  for (;;) {
    const done = (yield* sizeOf(download.part)) ?? 0
    if (done >= download.bytes) return
    const lost = yield* receive(download).pipe(
      Effect.as(undefined),
      Effect.catchTag(["Interrupted", "NoAnswer"], (error) => Effect.succeed(error))
    )
    if (lost === undefined) return
    answered ||= !(lost instanceof NoAnswer)
    const arrived = (yield* sizeOf(download.part)) ?? 0
    tries = arrived > Math.max(most, done) ? 1 : tries + 1
    most = Math.max(most, arrived)
    if (tries === TRIES || !answered) return yield* unreachable(download, lost.message)
    const seconds = 2 ** (tries - 1)
    yield* warning(`${lost.message}: trying again in ${seconds} s`)
    yield* Effect.sleep(`${seconds} seconds`)
  }
})

/** Removes a part that is empty. */
const removeEmptyPart = Effect.fnUntraced(function* (part: string) {
  if ((yield* sizeOf(part)) === 0) yield* remove(part)
})

/** Whether the file is there, whole; fails where another one has its place. */
const isThere = Effect.fnUntraced(function* ({ bytes, sha256 }: Remote, file: string) {
  const size = yield* sizeOf(file)
  if (size === undefined) return false
  if (size === bytes && (yield* sha256OfFile(file)) === sha256) return true
  return yield* new DataError({
    reason: "InTheWay",
    path: file,
    message: `${file} is there already, but it is not the official archive or is damaged`
  })
})

const inUse =
  (file: string) =>
  ({ holder }: FileLocked): DataError => {
    const by = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`
    return new DataError({ reason: "InUse", path: file, message: `${file} is being downloaded by ${by}` })
  }

/** Keeps other processes from the part until the scope ends. */
const claim = Effect.fnUntraced(function* (file: string) {
  const lock = yield* lockFile(`${file}.lock`).pipe(
    Effect.catchTag("FileLocked", (e) => Effect.fail(inUse(file)(e)))
  )
  if (!lock.locked) {
    yield* warning(`the file system of ${file} has no locks: no other process may download it`)
  }
})

/**
 * Downloads to `file`, through `file.part`, which a later call goes on with. `file` appears complete and verified,
 * or not at all; one that is there already and right is left alone. Two processes do not write to one part.
 *
 * @errors DataError for a server that refuses or has another file, a connection that stays lost, a wrong checksum, or
 * another process that downloads the same; StorageError for a disk that cannot be written.
 */
export const fetchFile = Effect.fn("fetchFile")(function* (remote: Remote, file: string) {
  if (yield* isThere(remote, file)) return
  yield* makeDirectory(path.dirname(file))
  yield* claim(file)
  // The process that held the lock until now may have brought it.
  if (yield* isThere(remote, file)) return
  const events = yield* Events
  const part = `${file}.part`
  const client = yield* Effect.catchTag(httpClient, "ProxyError", ({ message }) =>
    Effect.fail(new DataError({ reason: "Other", message }))
  )
  const onProgress = (done: number): void =>
    events.publish({ _tag: "Download", file: path.basename(file), done, total: remote.bytes })
  yield* receiveAll({ ...remote, client, file, part, onProgress }).pipe(
    Effect.onError(() => Effect.ignore(removeEmptyPart(part)))
  )
  const sha256 = yield* sha256OfFile(part)
  if (sha256 !== remote.sha256) {
    yield* remove(part)
    return yield* new DataError({
      reason: "OtherFile",
      message: `${remote.url} arrived with the SHA-256 ${sha256} instead of ${remote.sha256}, so it is damaged or another file, and was removed`
    })
  }
  yield* rename(part, file)
}, Effect.scoped)
