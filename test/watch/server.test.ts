/** The page on runs: what is found, what is asked for by an address, who is answered, and that it is live. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { addressOf, choiceOf, choose, sortedBy } from "../../src/Watch/Choice.ts"
import { isOurs } from "../../src/Watch/Guard.ts"
import { listPart } from "../../src/Watch/Pages.ts"
import { watchedRuns } from "../../src/Watch/Runs.ts"
import { watch } from "../../src/Watch.ts"
import { temporaryRuns, writeEpoch, writeRun } from "../support/WatchedRuns.ts"

const NASTY = "<img src=x onerror=alert(1)>"

const someRuns = Effect.gen(function* () {
  const root = yield* temporaryRuns
  yield* writeRun(root, "a", { epochs: 8, accuracy: 0.85 })
  yield* writeRun(root, "b", { epochs: 8, accuracy: 0.9, over: { train: { learningRate: 0.7 } } })
  yield* writeRun(root, "ensemble/one", { epochs: 3, over: { name: "members" } })
  yield* writeRun(root, NASTY, { epochs: 2, training: true })
  mkdirSync(path.join(root, "damaged"))
  writeFileSync(path.join(root, "damaged/config.json"), "{")
  mkdirSync(path.join(root, "no run"))
  return root
})

const asked = (text: string) => choiceOf(new URLSearchParams(text))

describe("the runs of a folder", () => {
  it.effect("are found, and read again only where something has changed", () =>
    Effect.gen(function* () {
      const root = yield* someRuns
      const runs = watchedRuns(root)
      const first = yield* runs
      const states = Object.fromEntries(first.map(({ name, state }) => [name, state]))
      assert.deepStrictEqual(states, {
        a: "finished",
        b: "finished",
        "ensemble/one": "stopped",
        [NASTY]: "training",
        damaged: "unreadable"
      })
      assert.match(first.find(({ name }) => name === "damaged")?.problem ?? "", /is not JSON/)
      assert.strictEqual(yield* runs, first)
      yield* writeEpoch(path.join(root, "ensemble/one"), 4)
      const second = yield* runs
      assert.strictEqual(second.find(({ name }) => name === "ensemble/one")?.metrics.length, 4)
      assert.strictEqual(
        second.find(({ name }) => name === "a"),
        first.find(({ name }) => name === "a")
      )
      rmSync(path.join(root, "a"), { recursive: true })
      assert.strictEqual((yield* runs).length, 4)
    })
  )

  it.effect("are one where the folder is a run's", () =>
    Effect.gen(function* () {
      const root = yield* someRuns
      const [run, ...others] = yield* watchedRuns(path.join(root, "a"))
      assert.strictEqual(run.name, "a")
      assert.deepStrictEqual(others, [])
    })
  )
})

describe("an address", () => {
  it.effect("filters, sorts and chooses", () =>
    Effect.gen(function* () {
      const runs = yield* watchedRuns(yield* someRuns)
      const names = (query: string) => choose(runs, asked(query)).runs.map(({ name }) => name)
      assert.deepStrictEqual(names("sort=accuracy").slice(0, 2), ["b", "a"])
      assert.deepStrictEqual(names("sort=accuracy&order=up").at(-1), "damaged")
      assert.deepStrictEqual(names("sort=name&q=finished"), ["a", "b"])
      assert.deepStrictEqual(names("q=train.learningRate%3D0.7"), ["b"])
      assert.deepStrictEqual(names("q=accuracy>85"), ["b"])
      assert.deepStrictEqual(names("q=time<4+epochs>2"), ["ensemble/one"])
      assert.deepStrictEqual(names("q=MEMBERS"), ["ensemble/one"])
      assert.deepStrictEqual(names("q=nothing+of+it"), [])
      const curves = (query: string) => choose(runs, asked(query)).curves.map(({ name }) => name)
      assert.deepStrictEqual(curves("q=nothing&run=a"), ["a"])
      assert.strictEqual(curves("").length, 3)
      assert.deepStrictEqual(curves("run=../a"), [])
    })
  )

  it("is that of its choice", () => {
    for (const query of ["/", "/?q=a+b&run=x&run=y", "/?sort=accuracy&order=up", "/?sort=name"]) {
      assert.strictEqual(addressOf(asked(query.slice(2))), query)
    }
    const byName = sortedBy(asked(""), "name")
    assert.isFalse(byName.descending)
    assert.isTrue(sortedBy(byName, "name").descending)
    assert.strictEqual(asked("sort=__proto__").sort, "changed")
  })

  it.effect("shows what differs, and escapes what it is given", () =>
    Effect.gen(function* () {
      const runs = yield* watchedRuns(yield* someRuns)
      const { text } = listPart(runs, new URLSearchParams({ q: "", run: NASTY }))
      assert.notInclude(text, "<img")
      assert.include(text, "&#60;img src=x")
      assert.include(text, 'title="train.learningRate: 0.7"')
      assert.include(text, "Validation accuracy")
    })
  )
})

describe("a host", () => {
  it("is ours by number, or by a name of this machine or the one that was asked for", () => {
    for (const host of ["127.0.0.1:7007", "localhost", "LOCALHOST:80", "[::1]:7007", "192.168.1.7:7007"]) {
      assert.isTrue(isOurs(host, "127.0.0.1"), host)
    }
    assert.isTrue(isOurs("runs.example:7007", "runs.example"))
    for (const host of [
      undefined,
      "",
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example:7007",
      "a b",
      "[::1"
    ]) {
      assert.isFalse(isOurs(host, "127.0.0.1"), host)
    }
  })
})

interface Answer {
  readonly status: number | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** Asks without what `fetch` puts right: paths and hosts as they are given. */
const ask = (
  address: string,
  target: string,
  { host, method = "GET" }: { readonly host?: string; readonly method?: string } = {}
) =>
  Effect.promise(
    () =>
      new Promise<Answer>((resolve, reject) => {
        const { hostname, port } = new URL(address)
        const headers = host === undefined ? {} : { host }
        const request = http.request(
          { hostname, port, path: target, method, headers, agent: false },
          (response) => {
            let body = ""
            response.on("data", (chunk) => {
              body += chunk
            })
            response.on("end", () =>
              resolve({ status: response.statusCode, headers: response.headers, body })
            )
          }
        )
        request.on("error", reject)
        request.end()
      })
  )

describe("the server", () => {
  it.live("shows runs and their reports, and nothing else", () =>
    Effect.gen(function* () {
      const root = yield* someRuns
      writeFileSync(path.join(root, "secret.html"), "secret")
      symlinkSync("../secret.html", path.join(root, "ensemble/one/report.html"))
      const address = yield* watch({ root, host: "127.0.0.1", port: 0 })
      const list = yield* ask(address, "/")
      assert.strictEqual(list.status, 200)
      assert.include(list.body, "ensemble/one")
      assert.notInclude(list.body, "<img")
      const policy = list.headers["content-security-policy"] ?? ""
      assert.include(policy, "default-src 'none'")
      const one = yield* ask(address, `/run?${new URLSearchParams({ name: NASTY })}`)
      assert.include(one.body, "&#60;img src=x")
      assert.notInclude(one.body, "<img")
      const report = yield* ask(address, "/report?name=a")
      assert.strictEqual(report.body, "<h1>report of 1 letters</h1>")
      assert.match(String(report.headers["content-security-policy"]), /^sandbox;/)
      for (const target of [
        ...[
          "/secret.html",
          "/../secret.html",
          "/%2e%2e/secret.html",
          "/report",
          "/report?name=../a",
          "/run?name=a/../b"
        ],
        ...["/report?name=ensemble/one", "/report?name=damaged", "/report?name=no%20run", "/run?name=%00"]
      ]) {
        const { body, status } = yield* ask(address, target)
        assert.strictEqual(status, 404, target)
        assert.notInclude(body, "secret", target)
        assert.notInclude(body, root, target)
      }
      assert.strictEqual((yield* ask(address, "/", { host: "evil.example" })).status, 421)
      assert.strictEqual((yield* ask(address, "/", { method: "POST" })).status, 405)
      const taken = yield* Effect.flip(
        watch({ root, host: "127.0.0.1", port: Number(new URL(address).port) })
      )
      assert.strictEqual(taken.reason, "PortTaken")
      const missing = path.join(root, "none")
      const none = yield* Effect.flip(watch({ root: missing, host: "127.0.0.1", port: 0 }))
      assert.strictEqual(none.message, `there is no folder ${missing}`)
    }).pipe(Effect.scoped)
  )

  it.live("tells open pages of every epoch", () =>
    Effect.gen(function* () {
      const root = yield* someRuns
      const address = yield* watch({ root, host: "127.0.0.1", port: 0 })
      const told: Array<string> = []
      yield* Effect.promise(async () => {
        const response = await fetch(`${address}events?page=/run&name=ensemble/one`)
        assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
        const reader = (response.body ?? assert.fail("no events"))
          .pipeThrough(new TextDecoderStream())
          .getReader()
        let text = ""
        while (told.length < 2) {
          const { done, value } = await reader.read()
          if (done) assert.fail("the events have ended")
          text += value
          for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
            const event = text.slice(0, end)
            text = text.slice(end + 2)
            if (!event.startsWith("data: ")) continue
            told.push(JSON.parse(event.slice("data: ".length)))
            if (told.length === 1) await Effect.runPromise(writeEpoch(path.join(root, "ensemble/one"), 4))
          }
        }
        await reader.cancel()
      })
      assert.include(told[0], "3 of 8")
      assert.include(told[1], "4 of 8")
    }).pipe(Effect.scoped)
  )
})
