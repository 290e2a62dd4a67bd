/**
 * Who may do what: bearer tokens (RFC 6750) from a file with a role and a token on each line. `infer` may ask models;
 * `admin` may also see metrics and statistics.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { storageError } from "../../Platform/Files.ts"
import { Refusal, ServeError } from "../Errors.ts"

export type Role = "infer" | "admin"

/** Fails where a request with this Authorization header may not do what takes a role. */
export type Authorise = (header: string | undefined, role: Role) => Effect.Effect<void, Refusal>

/** Characters of a token at least: shorter ones can be guessed. */
const SHORTEST = 16

const hash = (token: string): Buffer => createHash("sha256").update(token).digest()

/** The tokens of a file's text. Lines that are empty or begin with # are passed over. */
const parse = (file: string, text: string) =>
  Effect.gen(function* () {
    const tokens: Array<{ readonly role: Role; readonly hash: Buffer }> = []
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      const words = line.trim()
      if (words === "" || words.startsWith("#")) continue
      const match = /^(infer|admin)\s+([A-Za-z0-9\-._~+/]+=*)$/.exec(words)
      const wrong = (why: string) =>
        new ServeError({ reason: "Tokens", message: `${file}, line ${index + 1}: ${why}` })
      if (match === null) return yield* wrong("a line is a role (infer or admin), a space and a token")
      const [, role, token] = match
      if (token.length < SHORTEST) return yield* wrong(`a token has at least ${SHORTEST} characters`)
      tokens.push({ role: role === "admin" ? "admin" : "infer", hash: hash(token) })
    }
    if (tokens.length > 0) return tokens
    return yield* new ServeError({ reason: "Tokens", message: `${file} has no tokens` })
  })

const challenge = (error: string): Readonly<Record<string, string>> => ({
  "www-authenticate": `Bearer realm="shakedrop"${error}`
})

/** Lets everybody do everything. */
export const withoutTokens: Authorise = () => Effect.void

/** Reads a file of tokens. Every token is compared, each in constant time, so that time tells nothing about them. */
export const readTokens = Effect.fnUntraced(function* (file: string) {
  const text = yield* Effect.tryPromise({
    try: () => fs.readFile(file, "utf8"),
    catch: storageError("read", file)
  })
  const tokens = yield* parse(file, text)
  const authorise: Authorise = (header, role) =>
    Effect.suspend(() => {
      const given = /^Bearer +([^ ]+) *$/i.exec(header ?? "")?.[1]
      if (given === undefined) {
        return Effect.fail(
          new Refusal({ status: 401, message: "a bearer token is needed", headers: challenge("") })
        )
      }
      const wanted = hash(given)
      let known = false
      let allowed = false
      for (const token of tokens) {
        const same = timingSafeEqual(token.hash, wanted)
        known = known || same
        allowed = allowed || (same && (token.role === role || token.role === "admin"))
      }
      if (allowed) return Effect.void
      return Effect.fail(
        known
          ? new Refusal({ status: 403, message: `this token may not do what takes the role ${role}` })
          : new Refusal({
              status: 401,
              message: "this token is not known",
              headers: challenge(', error="invalid_token"')
            })
      )
    })
  return authorise
})
