/**
 * HTTP GET of a part of a file, as the bytes that the server sends: an archive that a server labels as compressed
 * content must not be unpacked on the way, as its checksum is that of the archive.
 */
import { STATUS_CODES } from "node:http"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import { SILENCE } from "../../Platform/HttpClient.ts"
import { DataError } from "../Types.ts"

/** The connection was lost, or the server is busy: worth another try. */
export class Interrupted extends Data.TaggedError("Interrupted")<{ readonly message: string }> {}

/** No server answers at all: the machine is offline, or the name is wrong. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly message: string }> {}

export interface Part {
  /** Its first byte's place in the file, and one more than its last one's where the server says. */
  readonly from: number
  readonly to: number | undefined
  readonly bytes: Stream.Stream<Uint8Array, Interrupted | NoAnswer | DataError>
}

const REDIRECTS = 5

const refused = (message: string) => new DataError({ reason: "Refused", message })

const withReason = (status: number): string => `${status} ${STATUS_CODES[status] ?? ""}`.trim()

/** What an answer means that is not the file. */
const notTheFile = (who: string, status: number, url: string): Interrupted | DataError => {
  const said = `${who} answered ${withReason(status)} for ${url}`
  const again = status >= 500 || [408, 416, 425, 429].includes(status)
  return again ? new Interrupted({ message: said }) : refused(said)
}

/** Codes of connections that are not made. */
const UNMADE: Readonly<Record<string, (host: string) => string>> = {
  ENOTFOUND: (host) => `the name ${host} is not found`,
  EAI_AGAIN: (host) => `the name ${host} cannot be looked up`,
  ECONNREFUSED: (host) => `nobody answers at ${host}`,
  ENETUNREACH: (host) => `there is no way to ${host}`,
  EHOSTUNREACH: (host) => `there is no way to ${host}`,
  UND_ERR_CONNECT_TIMEOUT: (host) => `${host} does not answer`
}

/** Codes of connections that are lost. */
const LOST: Readonly<Record<string, string>> = {
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_HEADERS_TIMEOUT: `no answer for ${SILENCE / 1000} seconds`,
  UND_ERR_BODY_TIMEOUT: `no answer for ${SILENCE / 1000} seconds`,
  UND_ERR_HEADERS_OVERFLOW: "the server's headers are too long"
}

/** Codes of certificates that are out of date, of another name, or of an authority that is not known. */
const UNTRUSTED =
  /^(CERT_|ERR_TLS_CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/

type SystemError = Error & Partial<Record<"code" | "hostname" | "address" | "port", string>>

/** Where a connection was to go to: an error of the system names it, a proxy's too. */
const hostIn = (cause: SystemError, url: string): string => {
  const { address, hostname, port } = cause
  return hostname ?? (address !== undefined ? `${address}:${port}` : new URL(url).host)
}

const failureOf = (error: HttpClientError, url: string): Interrupted | NoAnswer | DataError => {
  const cause = (error.cause ?? error) as SystemError
  const code = cause.code ?? ""
  if (Object.hasOwn(UNMADE, code)) return new NoAnswer({ message: UNMADE[code](hostIn(cause, url)) })
  if (Object.hasOwn(LOST, code)) return new Interrupted({ message: LOST[code] })
  if (UNTRUSTED.test(code)) {
    const message = `the certificate of ${new URL(url).host} is not trusted: ${cause.message}`
    return new DataError({ reason: "Untrusted", message })
  }
  const tunnel = /^Proxy response \((\d+)\)/.exec(cause.message)
  if (tunnel !== null) return notTheFile("the proxy", Number(tunnel[1]), url)
  if (/INVALID_(ARG|URL)/.test(code) || error.reason._tag === "InvalidUrlError") {
    return refused(`${url} leads to an address that is not one of http or https`)
  }
  return new Interrupted({ message: cause.message || code || String(cause) })
}

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined

/** Asks for a file from the byte `from` on, and follows redirects; the answer ends with the scope. */
export const requestFrom = Effect.fnUntraced(function* (
  client: HttpClient.HttpClient,
  url: string,
  from: number
) {
  const request = HttpClientRequest.get(url, from > 0 ? { headers: { range: `bytes=${from}-` } } : {})
  const { headers, status, stream } = yield* HttpClient.followRedirects(client, REDIRECTS)
    .execute(request)
    .pipe(
      Effect.provideService(HttpClient.TracerPropagationEnabled, false),
      Effect.mapError((error) => failureOf(error, url))
    )
  if (status !== 200 && status !== 206) return yield* notTheFile("the server", status, url)
  const length = numberOf(headers["content-length"])
  const first =
    status === 200 ? 0 : (numberOf(/^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1]) ?? from)
  const part: Part = {
    from: first,
    to: length === undefined ? undefined : first + length,
    bytes: Stream.mapError(stream, (error) => failureOf(error, url))
  }
  return part
})
