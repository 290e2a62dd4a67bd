import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { pipeline } from "node:stream"
import { setImmediate } from "node:timers/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Command from "effect/cli/Command"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { dataCommand } from "../../src/Cli/Data.ts"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { fetchFile, type Remote } from "../../src/Data/Download/Fetch.ts"
import { downloadCifar } from "../../src/Data/Download.ts"
import { heard, heardParts } from "../support/Events.ts"

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void

const contents = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * i) >> 3))

let directory: string
let server: http.Server
/** What the server does with each request in turn; the last one is repeated. */
let answers: Array<Answer>
let ranges: Array<string | undefined>
/** Cuts the connection once so many bytes have arrived: what is under way at a cut may be lost. */
let cut: (done: number) => void

beforeEach(async () => {
  cut = () => {}
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "shakedrop-download-"))
  ranges = []
  server = http.createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)]
    ranges.push(request.headers.range)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await fs.rm(directory, { recursive: true, force: true })
})

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const target = () => path.join(directory, "deep", "file.tar.gz")
const remote = (): Remote => ({
  url: `${address()}/file.tar.gz`,
  bytes: contents.length,
  sha256: createHash("sha256").update(contents).digest("hex")
})

/** Sends what is asked for, and cuts the connection after `most` bytes of it. */
const serve =
  (most = Number.POSITIVE_INFINITY, body: Buffer = contents): Answer =>
  (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": body.length - from,
      ...(from > 0 ? { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` } : {})
    })
    if (from + most >= body.length) {
      response.end(body.subarray(from))
      return
    }
    cut = (done) => {
      if (done === from + most) response.destroy()
    }
    response.write(body.subarray(from, from + most))
  }

const download = () => fetchFile(remote(), target())

const refuse =
  (status: number): Answer =>
  (_, response) => {
    response.writeHead(status).end("<html>no</html>")
  }

/** Runs an effect with pauses between tries cut short, and collects what it warns of. */
const hurried = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E>) {
  const lines: Array<string> = []
  const passTime = TestClock.adjust("1 minute").pipe(
    Effect.andThen(Effect.promise(() => setImmediate())),
    Effect.forever
  )
  const value = yield* Effect.raceFirst(effect, passTime).pipe(
    heard((event) => {
      if (event._tag === "Warning") lines.push(event.text)
      if (event._tag === "Download") cut(event.done)
    })
  )
  return { value, lines }
})

const filesIn = (folder: string) => Effect.promise(() => fs.readdir(folder))
const read = (file: string) => Effect.promise(() => fs.readFile(file))
const write = (file: string, bytes: Uint8Array) =>
  Effect.promise(async () => {
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(file, bytes)
  })

/** The error of a download that fails, checked to be one line. */
const failure = Effect.fnUntraced(function* () {
  const { value } = yield* hurried(Effect.flip(download()))
  assert.notInclude(value.message, "\n")
  return value
})

/** That the whole file is there and nothing else. */
const checkComplete = Effect.fnUntraced(function* () {
  assert.deepStrictEqual(yield* read(target()), contents)
  assert.deepStrictEqual(yield* filesIn(path.dirname(target())), ["file.tar.gz"])
})

describe("fetchFile", () => {
  it.effect("brings a file, with progress, and does nothing where it is there already", () =>
    Effect.gen(function* () {
      answers = [serve()]
      const progress: Array<readonly [number, number]> = []
      yield* fetchFile(remote(), target()).pipe(
        heardParts("Download", (done, total) => progress.push([done, total]))
      )
      yield* checkComplete()
      assert.deepStrictEqual(progress.at(-1), [1_000_000, 1_000_000])
      assert.isTrue(progress.every(([done], i) => i === 0 || done > progress[i - 1][0]))
      yield* download()
      assert.strictEqual(ranges.length, 1)
    })
  )

  it.effect("goes on where the connection was cut, again and again", () =>
    Effect.gen(function* () {
      answers = [serve(300_000), serve(200_000), refuse(503), serve(200_000), serve()]
      const { lines } = yield* hurried(download())
      yield* checkComplete()
      assert.deepStrictEqual(ranges, [
        undefined,
        "bytes=300000-",
        "bytes=500000-",
        "bytes=500000-",
        "bytes=700000-"
      ])
      assert.strictEqual(lines.length, 4)
      assert.strictEqual(lines[0], "the connection was cut: trying again in 1 s")
      assert.match(lines[2], /^the server answered 503 Service Unavailable for .*: trying again in 2 s$/)
    })
  )

  it.effect("goes on with what an earlier run left", () =>
    Effect.gen(function* () {
      answers = [serve()]
      yield* write(`${target()}.part`, contents.subarray(0, 123_456))
      yield* download()
      yield* checkComplete()
      assert.deepStrictEqual(ranges, ["bytes=123456-"])
    })
  )

  it.effect("keeps what has arrived when it is interrupted", () =>
    Effect.gen(function* () {
      answers = [serve(300_000), serve()]
      const arrived = yield* Deferred.make<void>()
      const fetching = fetchFile(remote(), target()).pipe(
        heardParts("Download", (done) => {
          if (done === 300_000) Deferred.doneUnsafe(arrived, Effect.void)
        })
      )
      yield* Effect.raceFirst(fetching, Deferred.await(arrived))
      assert.deepStrictEqual(yield* filesIn(path.dirname(target())), ["file.tar.gz.part"])
      yield* download()
      yield* checkComplete()
      assert.deepStrictEqual(ranges, [undefined, "bytes=300000-"])
    })
  )

  it.effect("needs no connection where only the renaming was missing", () =>
    Effect.gen(function* () {
      answers = [refuse(500)]
      yield* write(`${target()}.part`, contents)
      yield* download()
      yield* checkComplete()
      assert.deepStrictEqual(ranges, [])
    })
  )

  it.effect("begins anew where the server cannot resume", () =>
    Effect.gen(function* () {
      answers = [
        (_, response) => {
          response.writeHead(200).end(contents)
        }
      ]
      yield* write(`${target()}.part`, Buffer.alloc(500_000))
      yield* download()
      yield* checkComplete()
    })
  )

  it.effect("follows redirects, and takes an archive that is labelled as compressed content as it is", () =>
    Effect.gen(function* () {
      answers = [
        (_, response) => {
          response.writeHead(302, { location: "/elsewhere" }).end()
        },
        (request, response) => {
          assert.strictEqual(request.url, "/elsewhere")
          response.writeHead(200, { "content-encoding": "x-gzip" }).end(contents)
        }
      ]
      yield* download()
      yield* checkComplete()
    })
  )

  it.effect("removes a file with a wrong checksum, and does not resume it", () =>
    Effect.gen(function* () {
      const damaged = Buffer.from(contents)
      damaged[700_000] ^= 1
      answers = [serve(undefined, damaged)]
      const { _tag, message } = yield* failure()
      assert.strictEqual(_tag, "DataError")
      assert.include(
        message,
        `instead of ${remote().sha256}, so it is damaged or another file, and was removed`
      )
      assert.deepStrictEqual(yield* filesIn(path.dirname(target())), [])
    })
  )

  it.effect("fails at once where the server refuses or has another file", () =>
    Effect.gen(function* () {
      answers = [refuse(404)]
      const refused = yield* failure()
      assert.strictEqual(refused._tag, "DataError")
      assert.deepInclude(refused, { reason: "Refused" })
      assert.strictEqual(refused.message, `the server answered 404 Not Found for ${address()}/file.tar.gz`)
      assert.include(explain(refused), ": check the mirror's address, or name another one with --mirror")
      answers = [serve(undefined, Buffer.from("<html>log in</html>"))]
      assert.include((yield* failure()).message, "has 19 bytes, but the official archive has 1000000")
      answers = [
        (_, response) => {
          response.writeHead(200).end(Buffer.concat([contents, contents]))
        }
      ]
      assert.include((yield* failure()).message, "bytes, but the official archive has 1000000")
      answers = [
        (_, response) => {
          response.writeHead(200).end("<!doctype html><title>Log in</title>")
        }
      ]
      assert.include((yield* failure()).message, "/file.tar.gz is a web page (HTML)")
      answers = [
        (_, response) => {
          response.writeHead(302, { location: "file:///etc/passwd" }).end()
        }
      ]
      assert.include((yield* failure()).message, "leads to an address that is not one of http or https")
      assert.strictEqual(ranges.length, 5)
      assert.notInclude(yield* filesIn(path.dirname(target())), "file.tar.gz")
    })
  )

  it.effect("gives up after five tries that bring nothing, and keeps what it has", () =>
    Effect.gen(function* () {
      answers = [serve(400_000), (request) => request.socket.destroy()]
      const error = yield* failure()
      assert.deepInclude(error, { _tag: "DataError", reason: "Unreachable", path: target() })
      assert.match(error.message, /^cannot download http.*: the connection was cut$/)
      assert.match(explain(error), /: run the command again to go on with what has arrived, name another/)
      assert.strictEqual(ranges.length, 5)
      assert.deepStrictEqual(yield* read(`${target()}.part`), contents.subarray(0, 400_000))
      answers = [serve()]
      yield* download()
      yield* checkComplete()
    })
  )

  it.effect("leaves a file of the same name alone when it is another one", () =>
    Effect.gen(function* () {
      answers = [serve()]
      for (const bytes of [Buffer.from("mine"), Buffer.alloc(contents.length)]) {
        yield* write(target(), bytes)
        assert.include((yield* failure()).message, `${target()} is there already, but it is not the official`)
        assert.deepStrictEqual(yield* read(target()), bytes)
      }
      assert.strictEqual(ranges.length, 0)
    })
  )

  it.effect("begins anew where a server sends another part than was asked for", () =>
    Effect.gen(function* () {
      const other: Answer = (_, response) => {
        const headers = { "content-length": contents.length, "content-range": "bytes 0-999999/1000000" }
        response.writeHead(206, headers).end(contents)
      }
      answers = [serve(300_000), other]
      const { lines } = yield* hurried(download())
      yield* checkComplete()
      assert.deepStrictEqual(lines, ["the connection was cut: trying again in 1 s"])
      answers = [(_, response) => response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("other")]
      yield* Effect.promise(() => fs.rm(target()))
      assert.include((yield* failure()).message, "the server sent another part than was asked for")
    })
  )

  it.effect("is refused while another process downloads the same file", () =>
    Effect.gen(function* () {
      answers = [serve(300_000), serve()]
      const arrived = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(
        download().pipe(
          heardParts("Download", (done) => {
            if (done === 300_000) Deferred.doneUnsafe(arrived, Effect.void)
          })
        )
      )
      yield* Deferred.await(arrived)
      const error = yield* Effect.flip(download())
      assert.deepInclude(error, { _tag: "DataError", reason: "InUse" })
      assert.include(error.message, `${target()} is being downloaded by process ${process.pid} on `)
      assert.match(explain(error), /: wait until that process is done, or end it$/)
      assert.strictEqual(ranges.length, 1)
      yield* Fiber.interrupt(first)
      yield* download()
      yield* checkComplete()
    })
  )

  it.effect("says in one line that no server is reached, and where a file got otherwise goes", () =>
    Effect.gen(function* () {
      const nobody = address()
      const wanted = remote()
      yield* Effect.promise(() => new Promise((resolve) => server.close(resolve)))
      for (const [url, why] of [
        [`${nobody}/file.tar.gz`, `nobody answers at ${nobody.slice("http://".length)}`],
        ["http://nowhere.invalid/file.tar.gz", "the name nowhere.invalid "]
      ]) {
        const { lines, value } = yield* hurried(Effect.flip(fetchFile({ ...wanted, url }, target())))
        assert.deepStrictEqual(lines, [])
        assert.deepInclude(value, { reason: "Unreachable" })
        assert.include(value.message, `cannot download ${url}: ${why}`)
        assert.include(
          explain(value),
          `, or fetch file.tar.gz in another way and put it into ${path.dirname(target())}`
        )
        assert.include(explain(value), "--mirror")
      }
      yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
    })
  )

  it.effect("says which folder cannot be written", () =>
    Effect.gen(function* () {
      answers = [serve()]
      yield* write(path.join(directory, "deep"), Buffer.alloc(0))
      const { _tag, message } = yield* failure()
      assert.strictEqual(_tag, "StorageError")
      assert.include(message, path.join(directory, "deep"))
      assert.include(message, "a part of the path is not a folder")
    })
  )
})

/** A proxy that takes what it is asked for from the server, whatever name it is asked for. */
const proxying = Effect.acquireRelease(
  Effect.promise(async () => {
    const asked: Array<string | undefined> = []
    const { port } = server.address() as AddressInfo
    const proxy = http.createServer((request, response) => {
      asked.push(request.url)
      const { headers } = request
      const onwards = http.get({ port, path: new URL(request.url ?? "").pathname, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        pipeline(answer, response, () => {})
      })
      onwards.on("error", () => response.destroy())
    })
    proxy.on("connect", (request, socket) => {
      asked.push(`${request.method} ${request.url}`)
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    })
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
    return { proxy, asked, address: `127.0.0.1:${(proxy.address() as AddressInfo).port}` }
  }),
  ({ proxy }) =>
    Effect.promise(async () => {
      proxy.closeAllConnections()
      await new Promise((resolve) => proxy.close(resolve))
    })
)

const withEnvironment = (variables: Readonly<Record<string, string>>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })))

describe("a proxy", () => {
  it.effect("that the environment names is asked, unless it excepts the server", () =>
    Effect.gen(function* () {
      const { address: proxy, asked } = yield* proxying
      answers = [serve(400_000), serve()]
      const url = "http://files.example/file.tar.gz"
      // The name is looked up by the proxy alone; the second request goes on where the first was cut.
      const { lines } = yield* hurried(fetchFile({ ...remote(), url }, target())).pipe(
        withEnvironment({ HTTP_PROXY: proxy, NO_PROXY: "example.org,127.0.0.1" })
      )
      yield* checkComplete()
      assert.deepStrictEqual(asked, [url, url])
      assert.deepStrictEqual(ranges, [undefined, "bytes=400000-"])
      assert.strictEqual(lines.length, 1)
      yield* Effect.promise(() => fs.rm(target()))
      yield* download().pipe(withEnvironment({ http_proxy: `http://${proxy}`, no_proxy: "127.0.0.1" }))
      yield* checkComplete()
      assert.strictEqual(asked.length, 2)
    })
  )

  it.effect("is asked for a tunnel to a server of https, and what it refuses is told", () =>
    Effect.gen(function* () {
      const { address: proxy, asked } = yield* proxying
      const url = "https://files.example/file.tar.gz"
      const error = yield* Effect.flip(fetchFile({ ...remote(), url }, target())).pipe(
        withEnvironment({ HTTPS_PROXY: proxy })
      )
      assert.deepStrictEqual(asked, ["CONNECT files.example:443"])
      assert.strictEqual(error.message, `the proxy answered 407 Proxy Authentication Required for ${url}`)
    })
  )

  it.effect("that is not one, or does not answer, is named", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(download()).pipe(
        withEnvironment({ HTTP_PROXY: "ftp://me:secret@here" })
      )
      assert.strictEqual(wrong.message, "the proxy of HTTP_PROXY is not an address of http, https or socks5")
      const error = yield* Effect.flip(download()).pipe(withEnvironment({ HTTP_PROXY: "127.0.0.1:1" }))
      assert.include(error.message, ": nobody answers at 127.0.0.1:1")
    })
  )
})

describe("data download", () => {
  it.effect("asks the mirror for the official binary archive", () =>
    Effect.gen(function* () {
      const urls: Array<string | undefined> = []
      answers = [
        (request, response) => {
          urls.push(request.url)
          refuse(404)(request, response)
        }
      ]
      for (const dataset of ["cifar10", "cifar100"]) {
        const args = ["download", dataset, "--to", directory, "--mirror", `${address()}/mirror/`]
        const error = yield* Effect.flip(Command.runWith(dataCommand, { version: "0" })(args))
        assert.include(error.message, "404 Not Found")
      }
      assert.deepStrictEqual(urls, ["/mirror/cifar-10-binary.tar.gz", "/mirror/cifar-100-binary.tar.gz"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("refuses a mirror that is no address", () =>
    Effect.gen(function* () {
      for (const mirror of ["my server", "ftp://example.org"]) {
        const { message } = yield* Effect.flip(downloadCifar("cifar10", directory, { mirror }))
        assert.include(message, `the mirror "${mirror}" is not an http or https address`)
      }
    })
  )
})
