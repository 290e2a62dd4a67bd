/**
 * HTTP GET of a part of a file, as the bytes that the server sends: an archive that a server labels as compressed
 * content must not be unpacked on the way, as its checksum is that of the archive.
 */
import * as http from "node:http"
import * as https from "node:https"

/** Milliseconds without a byte after which a connection counts as lost. */
const SILENCE = 30_000

const REDIRECTS = 5

const get = (url: URL, headers: http.OutgoingHttpHeaders, signal: AbortSignal) =>
  new Promise<http.IncomingMessage>((resolve, reject) => {
    const open = url.protocol === "https:" ? https.get : http.get
    const request = open(url, { headers, signal, timeout: SILENCE }, resolve)
    request.on("timeout", () => request.destroy(new Error(`no answer for ${SILENCE / 1000} seconds`)))
    request.on("error", reject)
  })

/** Asks for a file from the byte `from` on, and follows redirects. Rejects where no server answers. */
export const requestFrom = async (
  url: string,
  from: number,
  signal: AbortSignal
): Promise<http.IncomingMessage> => {
  const headers = from > 0 ? { range: `bytes=${from}-` } : {}
  let target = new URL(url)
  for (let redirects = 0; redirects <= REDIRECTS; redirects++) {
    const response = await get(target, headers, signal)
    const { location } = response.headers
    const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0)
    if (!isRedirect || location === undefined) return response
    response.destroy()
    target = new URL(location, target)
  }
  throw new Error(`the server redirects more than ${REDIRECTS} times`)
}
