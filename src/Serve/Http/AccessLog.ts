/** The access log: a line of JSON for each answer. The query of an address is left out, since secrets travel there. */
import { printable } from "../../Platform/Text.ts"

export interface Access {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly seconds: number
  readonly client: string | undefined
  /** Why it was refused, or what failed. */
  readonly problem: string | undefined
}

export type AccessLog = (access: Access) => void

/** Characters of an address that are kept. */
const LONGEST = 500

/** Writes lines. */
export const accessLog =
  (write: (line: string) => void): AccessLog =>
  ({ client, method, path, problem, seconds, status }) => {
    const line = {
      time: new Date().toISOString(),
      client,
      method,
      path: path.replace(/[?#].*$/s, "").slice(0, LONGEST),
      status,
      ms: Number((seconds * 1000).toFixed(3)),
      error: problem
    }
    write(`${printable(JSON.stringify(line))}\n`)
  }
