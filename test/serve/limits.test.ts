/** Who may ask, how much at the same time, and what is logged. */
import { writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { accessLog } from "../../src/Serve/Http/AccessLog.ts"
import { makeAdmission } from "../../src/Serve/Http/Body.ts"
import { readTokens } from "../../src/Serve/Http/Tokens.ts"
import { makeMetrics } from "../../src/Serve/Metrics.ts"
import { makeModels } from "../../src/Serve/Model/Models.ts"
import { DEFAULTS } from "../../src/Serve/Options.ts"
import { temporaryFolder } from "../support/Run.ts"

const tokensOf = Effect.fnUntraced(function* (text: string) {
  const file = `${yield* temporaryFolder}/tokens`
  writeFileSync(file, text)
  return yield* readTokens(file)
})

describe("tokens", () => {
  it.effect("let do what their role may", () =>
    Effect.gen(function* () {
      const authorise = yield* tokensOf("# who\ninfer aaaaaaaaaaaaaaaaaaaa\n\nadmin bbbbbbbbbbbbbbbbbbbb\n")
      const status = (header: string | undefined, role: "infer" | "admin") =>
        Effect.match(authorise(header, role), {
          onSuccess: () => 200,
          onFailure: ({ headers, status }) => {
            assert.strictEqual(status === 401, headers?.["www-authenticate"] !== undefined)
            return status
          }
        })
      assert.strictEqual(yield* status("Bearer aaaaaaaaaaaaaaaaaaaa", "infer"), 200)
      assert.strictEqual(yield* status("bearer bbbbbbbbbbbbbbbbbbbb", "infer"), 200)
      assert.strictEqual(yield* status("Bearer bbbbbbbbbbbbbbbbbbbb", "admin"), 200)
      assert.strictEqual(yield* status("Bearer aaaaaaaaaaaaaaaaaaaa", "admin"), 403)
      assert.strictEqual(yield* status("Bearer aaaaaaaaaaaaaaaaaaab", "infer"), 401)
      assert.strictEqual(yield* status("Bearer a", "infer"), 401)
      assert.strictEqual(yield* status("Basic aaaaaaaaaaaaaaaaaaaa", "infer"), 401)
      assert.strictEqual(yield* status(undefined, "infer"), 401)
    })
  )

  it.effect("that are too short, or no tokens, are no file of tokens; a token is not told", () =>
    Effect.gen(function* () {
      for (const [text, problem] of [
        ["", /has no tokens/],
        ["infer short", /line 1: a token has at least 16/],
        ["\nroot aaaaaaaaaaaaaaaaaaaa", /line 2: a line is a role/],
        ["infer aaaaaaaaaaaa aaaaaaaa", /line 1: a line is a role/]
      ] as const) {
        const error = yield* Effect.flip(tokensOf(text))
        assert.match(error.message, problem)
        assert.notInclude(error.message, "aaaa")
      }
    })
  )
})

describe("requests", () => {
  it.effect("beyond those that are in work are told when to come again", () =>
    Effect.gen(function* () {
      const { enter } = makeAdmission({ maxBody: 1000, maxWaiting: 2 })
      const scope = yield* Scope.make()
      yield* Scope.provide(enter, scope)
      yield* Effect.gen(function* () {
        yield* enter
        const refused = yield* Effect.flip(enter)
        assert.strictEqual(refused.status, 503)
        assert.deepStrictEqual(refused.headers, { "retry-after": "1" })
      }).pipe(Effect.scoped)
      yield* Effect.scoped(enter)
      yield* Scope.close(scope, Exit.void)
    })
  )
})

describe("names", () => {
  it.effect("of models are told apart, and stand in an address", () =>
    Effect.gen(function* () {
      const metrics = yield* makeMetrics
      const problemOf = (models: ReadonlyArray<readonly [name: string, version: string]>) =>
        makeModels(
          {
            ...DEFAULTS,
            models: models.map(([name, version]) => ({ name, version, path: `runs/${name}` })),
            tokens: undefined,
            watch: false
          },
          metrics
        ).pipe(
          Effect.flip,
          Effect.map(({ message }) => message)
        )
      assert.match(
        yield* problemOf([
          ["a", "1"],
          ["a", "1"]
        ]),
        /would both be version 1 of the model a/
      )
      assert.match(yield* problemOf([["a/b", "1"]]), /cannot be the name of a model/)
      assert.match(yield* problemOf([["..", "1"]]), /cannot be the name of a model/)
      assert.match(yield* problemOf([["a", "v:1"]]), /cannot be the name of a version/)
    })
  )
})

describe("the access log", () => {
  it("is a line of JSON without secrets and control characters", () => {
    const lines: Array<string> = []
    const log = accessLog((line) => lines.push(line))
    log({
      method: "GET",
      path: "/a\u009b?token=secret",
      status: 404,
      seconds: 0.00125,
      client: "::1",
      problem: "no\nsuch"
    })
    assert.strictEqual(lines.length, 1)
    assert.notInclude(lines[0], "secret")
    assert.notInclude(lines[0], "\u009b")
    assert.strictEqual(lines[0].indexOf("\n"), lines[0].length - 1)
    const { ms, path, status } = JSON.parse(lines[0])
    assert.deepStrictEqual([ms, path, status], [1.25, "/a\u009b", 404])
  })
})
