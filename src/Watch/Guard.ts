/**
 * Who is answered. A page of somebody else can have its own name lead to this machine (DNS rebinding), and its script
 * would then read what is shown here: only an address in numbers, this machine's names, and the one that was asked for
 * are answered.
 */
import * as net from "node:net"
import * as os from "node:os"

/** The name in a Host header, without its port and the brackets of IPv6; undefined where it is none. */
export const hostnameIn = (header: string | undefined): string | undefined => {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? "")
  return (found?.[1] ?? found?.[2])?.toLowerCase()
}

/** Whether a request for this host is meant for a server that listens on `bound`. */
export const isOurs = (header: string | undefined, bound: string): boolean => {
  const name = hostnameIn(header)
  if (name === undefined) return false
  return net.isIP(name) !== 0 || [bound, "localhost", os.hostname()].some((own) => own.toLowerCase() === name)
}

/** What browsers may do with the pages: nothing but show them, and read the events. */
export const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
} as const

/** A report is a file that somebody may have been given: it runs no script, whatever is in it. */
export const REPORT_HEADERS = {
  ...HEADERS,
  "content-security-policy":
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
} as const
