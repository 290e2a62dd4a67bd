import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { setImmediate } from "node:timers/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { dataCommand } from "../../src/Cli/Data.ts"
import { fetchFile, type Remote } from "../../src/Data/Download/Fetch.ts"
import { downloadCifar } from "../../src/Data/Download.ts"
import { heardParts } from "../support/Events.ts"

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

const download = () => fetchFile(remote(), target()).pipe(heardParts("Download", (done) => cut(done)))

const refuse =
  (status: number): Answer =>
  (_, response) => {
    response.writeHead(status).end("<html>no</html>")
  }

/** Runs an effect with pauses between tries cut short, and collects what it logs. */
const hurried = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E>) {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => {
    lines.push(String(message))
  })
  const passTime = TestClock.adjust("1 minute").pipe(
    Effect.andThen(Effect.promise(() => setImmediate())),
    Effect.forever
  )
  const value = yield* Effect.raceFirst(effect, passTime).pipe(Effect.provide(Logger.layer([logger])))
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
      assert.include(refused.message, `the server answered 404 Not Found for ${address()}/file.tar.gz: check`)
      answers = [serve(undefined, Buffer.from("<html>log in</html>"))]
      assert.include((yield* failure()).message, "has 19 bytes, but the official archive has 1000000")
      answers = [
        (_, response) => {
          response.writeHead(200).end(Buffer.concat([contents, contents]))
        }
      ]
      assert.include((yield* failure()).message, "bytes, but the official archive has 1000000")
      assert.strictEqual(ranges.length, 3)
      assert.notInclude(yield* filesIn(path.dirname(target())), "file.tar.gz")
    })
  )

  it.effect("gives up after five tries that bring nothing, and keeps what it has", () =>
    Effect.gen(function* () {
      answers = [serve(400_000), (request) => request.socket.destroy()]
      const { _tag, message } = yield* failure()
      assert.strictEqual(_tag, "DataError")
      assert.match(message, /^cannot download http.*: the connection was cut; run the command again/)
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
