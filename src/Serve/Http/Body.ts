/** A request's body, whole and within bounds: of one body, and of all that are kept at the same time. */
import * as zlib from "node:zlib"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { badRequest, overloaded, Refusal } from "../Errors.ts"
import { BODIES, type ServeOptions } from "../Options.ts"

/** Requests in work, within bounds: none is kept waiting that could not be answered in time. */
export class Admission extends Context.Service<
  Admission,
  {
    /** Takes a place for a request until the scope closes. */
    readonly enter: Effect.Effect<void, Refusal, Scope.Scope>
    /**
     * The body of the request, whose bytes count until the scope closes. A request whose body has not arrived yet takes
     * no place, but is refused at once where there is none.
     */
    readonly body: Effect.Effect<Uint8Array, Refusal, Scope.Scope | HttpServerRequest.HttpServerRequest>
  }
>()("shakedrop/Serve/Admission") {}

const tooLarge = (maxBody: number): Refusal =>
  new Refusal({ status: 413, message: `a body has at most ${maxBody.toLocaleString("en-GB")} bytes` })

type Unpack = (bytes: Uint8Array, options: zlib.ZlibOptions, done: zlib.CompressCallback) => void

const UNPACK: Readonly<Record<string, Unpack>> = {
  gzip: zlib.gunzip,
  "x-gzip": zlib.gunzip,
  deflate: zlib.inflate
}

/** Undoes a body's compression, which may blow it up to the largest body and no further. */
const unpacked = (
  bytes: Uint8Array,
  encoding: string,
  maxBody: number
): Effect.Effect<Uint8Array, Refusal> => {
  const name = encoding.trim().toLowerCase()
  if (name === "" || name === "identity") return Effect.succeed(bytes)
  const unpack = UNPACK[name]
  if (unpack === undefined) {
    return Effect.fail(
      new Refusal({
        status: 415,
        message: "a body is sent as it is, or compressed by gzip or deflate",
        headers: { "accept-encoding": "gzip, deflate" }
      })
    )
  }
  return Effect.callback<Uint8Array, Refusal>((resume) => {
    unpack(bytes, { maxOutputLength: maxBody }, (cause, result) => {
      if (cause === null) return resume(Effect.succeed(result))
      const { code } = cause as NodeJS.ErrnoException
      resume(
        Effect.fail(
          code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(maxBody) : badRequest(`the body is no ${name} stream`)
        )
      )
    })
  })
}

/** Counts requests and bodies of one server. */
export const makeAdmission = ({ maxBody, maxWaiting }: Pick<ServeOptions, "maxBody" | "maxWaiting">) => {
  const most = BODIES * maxBody
  let requests = 0
  let bytes = 0

  const checkRoom = Effect.suspend(() =>
    requests < maxWaiting
      ? Effect.void
      : Effect.fail(overloaded("waiting", `${requests} requests are in work already: try again later`))
  )

  const enter = Effect.asVoid(
    Effect.acquireRelease(
      Effect.map(checkRoom, () => {
        requests++
      }),
      () =>
        Effect.sync(() => {
          requests--
        })
    )
  )

  const reserve = (count: number) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        if (bytes + count > most) {
          return Effect.fail(
            overloaded("memory", "too many large bodies are in work already: try again later")
          )
        }
        bytes += count
        return Effect.void
      }),
      () =>
        Effect.sync(() => {
          bytes -= count
        })
    )

  const body = Effect.gen(function* () {
    yield* checkRoom
    const request = yield* HttpServerRequest.HttpServerRequest
    const { "content-encoding": encoding = "", "content-length": length } = request.headers
    const declared = length === undefined ? maxBody : Number(length)
    if (declared > maxBody) return yield* tooLarge(maxBody)
    // What is compressed may become as large as the largest.
    yield* reserve(encoding === "" ? declared : 2 * maxBody)
    const read = yield* request.arrayBuffer.pipe(
      Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.fromInputUnsafe(maxBody)),
      Effect.mapError(({ reason }) =>
        reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
          ? tooLarge(maxBody)
          : badRequest("the body did not arrive whole")
      )
    )
    return yield* unpacked(new Uint8Array(read), encoding, maxBody)
  })

  return Admission.of({ enter, body })
}

/** The JSON of bytes. */
export const jsonOf = (bytes: Uint8Array): Effect.Effect<unknown, Refusal> =>
  Effect.try({
    try: (): unknown => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)),
    catch: (cause) => badRequest(`the body is not JSON: ${(cause as Error).message}`)
  })

/** What JSON should be, decoded; what is wrong is told in one line. */
export const decoded = <A, I>(schema: Schema.Codec<A, I>, value: unknown): Effect.Effect<A, Refusal> =>
  Effect.mapError(Schema.decodeUnknownEffect(schema)(value), ({ message }) =>
    badRequest(message.replace(/\s*\n\s*/g, " "))
  )
