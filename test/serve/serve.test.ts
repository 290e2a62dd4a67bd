/** A server over a small run: what clients get, in each of the protocols, and what they are refused. */
import { deflateSync, gzipSync } from "node:zlib"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import sharp from "sharp"
import { Device } from "../../src/Device.ts"
import { writeFileAtomic } from "../../src/Platform/Files.ts"
import { classifier, servedNetwork } from "../../src/Predict.ts"
import { DEFAULTS, serve } from "../../src/Serve.ts"
import { servicesFor, smallRun, temporaryFolder, tinyDataset } from "../support/Run.ts"

class Server extends Context.Service<
  Server,
  { readonly url: string; readonly log: ReadonlyArray<string>; readonly folder: string }
>()("test/Server") {}

const MODEL = "/v2/models/small"
const SIZE = 8

/** A run of tiny images, and a server of it that takes small bodies and images only. */
const served = Layer.effect(
  Server,
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    yield* smallRun(`${folder}/run`).pipe(Effect.provide(servicesFor(tinyDataset())))
    const log: Array<string> = []
    const { url } = yield* serve(
      {
        ...DEFAULTS,
        models: [
          { name: "small", version: "1", path: `${folder}/run` },
          { name: "small", version: "2", path: `${folder}/run` }
        ],
        port: 0,
        maxBatch: 4,
        maxBody: 100_000,
        maxPixels: 10_000,
        tokens: undefined,
        watch: false
      },
      ({ problem = "", status }) => log.push(`${status} ${problem}`)
    )
    return { url, log, folder }
  })
).pipe(Layer.provideMerge(Device.layer("cpu")))

/** What a text is the JSON of, of the shape that the test goes on to look for. */
const parsed: (text: string) => ReturnType<typeof JSON.parse> = JSON.parse

const send = (path: string, options: RequestInit = {}) =>
  Effect.gen(function* () {
    const { url } = yield* Server
    return yield* Effect.promise(async () => {
      const answer = await fetch(url + path, options)
      const bytes = new Uint8Array(await answer.arrayBuffer())
      const text = new TextDecoder().decode(bytes)
      return { status: answer.status, headers: answer.headers, bytes, text, json: () => parsed(text) }
    })
  })

const post = (path: string, body: NonNullable<RequestInit["body"]>, headers: Record<string, string> = {}) =>
  send(path, { method: "POST", body, headers })

const png = (width: number, height: number, background: string) =>
  Effect.promise(() =>
    sharp({ create: { width, height, channels: 3, background } })
      .png()
      .toBuffer()
  )

const pixels = Uint8Array.from({ length: 3 * SIZE * SIZE * 3 }, (_, i) => (i * 37) % 256)
const shape = [3, SIZE, SIZE, 3]
const input = { name: "images", datatype: "UINT8", shape }

/** A PNG that says that it has 65,535² pixels, and has none. */
const hugePng = (): Uint8Array => {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(body.length + 8)
    out.writeUInt32BE(data.length)
    body.copy(out, 4)
    let crc = 0xffffffff
    for (const byte of body) {
      crc ^= byte
      for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    }
    out.writeUInt32BE(~crc >>> 0, body.length + 4)
    return out
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(65_535)
  header.writeUInt32BE(65_535, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const parts = [
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.alloc(100))),
    chunk("IEND", Buffer.alloc(0))
  ]
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts])
}

layer(served, { excludeTestServices: true })("a server", (it) => {
  it.effect("lives, is ready, and says what it and its models are", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* send("/v2/health/live")).json(), { live: true })
      assert.deepStrictEqual((yield* send("/v2/health/ready")).json(), { ready: true })
      assert.deepStrictEqual((yield* send("/v2/models")).json(), { models: ["small"] })
      const metadata = (yield* send(MODEL)).json()
      assert.deepStrictEqual(metadata.versions, ["2", "1"])
      assert.deepStrictEqual(metadata.inputs, [
        { name: "images", datatype: "UINT8", shape: [-1, SIZE, SIZE, 3] }
      ])
      assert.deepStrictEqual((yield* send(`${MODEL}/versions/1/ready`)).json(), {
        name: "small",
        ready: true
      })
      assert.strictEqual((yield* send(`${MODEL}/labels`)).json().labels.length, 10)
      const state = (yield* send("/v1/models/small")).json()
      assert.deepStrictEqual(
        state.model_version_status.map(({ state }: { state: string }) => state),
        ["AVAILABLE", "AVAILABLE"]
      )
      const head = yield* send("/", { method: "HEAD" })
      assert.strictEqual(head.status, 200)
      assert.match(head.headers.get("content-security-policy") ?? "", /default-src 'none'/)
      assert.strictEqual((yield* send("/openapi.json")).json().openapi, "3.1.0")
    })
  )

  it.effect("classifies an image as predict does", () =>
    Effect.gen(function* () {
      const { folder } = yield* Server
      const file = `${folder}/red.png`
      const image = yield* png(40, 30, "#d03020")
      yield* writeFileAtomic(file, image)
      const network = yield* servedNetwork(`${folder}/run`)
      const predict = yield* classifier(network)
      const [batch] = yield* Stream.runCollect(predict([file]))
      const { probabilities } = batch.predictions[0]
      const said = (yield* post(`${MODEL}/classify`, image)).json()
      assert.strictEqual(said.length, 10)
      const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a])
      assert.deepStrictEqual(
        said.map((one: { class: string }) => one.class),
        order.map((k) => network.classes[k])
      )
      for (const [i, k] of order.entries()) assert.closeTo(said[i].probability, probabilities[k], 1e-6)
      const top = (yield* post(`${MODEL}/classify?top=2`, image)).json()
      assert.deepStrictEqual(
        top.map((one: { class: string }) => one.class),
        order.slice(0, 2).map((k) => network.classes[k])
      )
    }).pipe(Effect.scoped)
  )

  it.effect("answers each part of a form, also beside one that is no image", () =>
    Effect.gen(function* () {
      const form = new FormData()
      form.append("a", new Blob([yield* png(10, 10, "#fff")]), "white.png")
      form.append("b", new Blob(["no image"]), "text.jpg")
      form.append("c", new Blob([yield* png(10, 10, "#000")]), "black.png")
      const said = (yield* post(`${MODEL}/classify?top=1`, form)).json()
      assert.deepStrictEqual(
        said.map(({ file }: { file: string }) => file),
        ["white.png", "text.jpg", "black.png"]
      )
      assert.strictEqual(said[0].predictions.length, 1)
      assert.match(said[1].error, /text file, not an image/)
      const alone = (yield* post(`${MODEL}/classify?top=1`, yield* png(10, 10, "#000"))).json()
      assert.strictEqual(said[2].predictions[0].class, alone[0].class)
      assert.closeTo(said[2].predictions[0].probability, alone[0].probability, 1e-6)
    })
  )

  it.effect(
    "says the same of tensors in JSON, nested or flat, in bytes, compressed, and to TensorFlow's clients",
    () =>
      Effect.gen(function* () {
        const nested = Array.from({ length: 3 }, (_, n) =>
          Array.from({ length: SIZE }, (_, y) =>
            Array.from({ length: SIZE }, (_, x) =>
              Array.from({ length: 3 }, (_, c) => pixels[((n * SIZE + y) * SIZE + x) * 3 + c])
            )
          )
        )
        const flat = JSON.stringify({ id: "7", inputs: [{ ...input, data: Array.from(pixels) }] })
        const said = (yield* post(`${MODEL}/infer`, flat)).json()
        assert.strictEqual(said.id, "7")
        assert.strictEqual(said.model_version, "2")
        const [logits, probabilities] = said.outputs
        assert.deepStrictEqual(logits.shape, [3, 10])
        assert.strictEqual(probabilities.name, "probabilities")
        for (let n = 0; n < 3; n++) {
          const sum = probabilities.data.slice(n * 10, n * 10 + 10).reduce((a: number, b: number) => a + b, 0)
          assert.closeTo(sum, 1, 1e-6)
        }
        const packed = yield* post(
          `${MODEL}/infer`,
          gzipSync(JSON.stringify({ inputs: [{ ...input, data: nested }] })),
          { "content-encoding": "gzip" }
        )
        assert.deepStrictEqual(packed.json().outputs, said.outputs)
        const json = Buffer.from(
          JSON.stringify({
            parameters: { binary_data_output: true },
            inputs: [{ ...input, parameters: { binary_data_size: pixels.length } }],
            outputs: [{ name: "logits" }]
          })
        )
        const { bytes, headers } = yield* post(`${MODEL}/infer`, Buffer.concat([json, pixels]), {
          "inference-header-content-length": String(json.length)
        })
        const length = Number(headers.get("inference-header-content-length"))
        const values = new Float32Array(bytes.slice(length).buffer)
        assert.deepStrictEqual(Array.from(values), logits.data)
        const rows = (yield* post("/v1/models/small:predict", JSON.stringify({ instances: nested }))).json()
        assert.deepStrictEqual(
          rows.predictions.flatMap((row: { logits: Array<number> }) => row.logits),
          logits.data
        )
        const columns = yield* post(
          "/v1/models/small/versions/1:predict",
          JSON.stringify({ inputs: { images: nested } })
        )
        assert.deepStrictEqual(columns.json().outputs.logits.flat(), logits.data)
      })
  )

  it.effect("takes image files in base64 from TensorFlow's clients", () =>
    Effect.gen(function* () {
      const image = yield* png(20, 20, "#3050d0")
      const instances = [{ b64: image.toString("base64") }]
      const { predictions } = (yield* post("/v1/models/small:predict", JSON.stringify({ instances }))).json()
      const classified = (yield* post(`${MODEL}/classify?top=1`, image)).json()
      assert.closeTo(Math.max(...predictions[0].probabilities), classified[0].probability, 1e-6)
    })
  )

  it.effect("refuses what is wrong with a status, in one line, and without a word of its machine", () =>
    Effect.gen(function* () {
      const { folder } = yield* Server
      const infer = (value: unknown) => post(`${MODEL}/infer`, JSON.stringify(value))
      const one = { ...input, shape: [1, SIZE, SIZE, 3] }
      const data = new Array<unknown>(SIZE * SIZE * 3).fill(1)
      const cases = [
        [400, infer([])],
        [400, infer({ inputs: [] })],
        [400, infer({ inputs: [one, one] })],
        [400, infer({ inputs: [one] })],
        [400, infer({ inputs: [{ ...one, name: "x", data }] })],
        [400, infer({ inputs: [{ ...one, datatype: "FP32", data }] })],
        [400, infer({ inputs: [{ ...one, data: data.slice(1) }] })],
        [400, infer({ inputs: [{ ...one, data: [...data.slice(1), 256] }] })],
        [400, infer({ inputs: [{ ...one, data: [...data.slice(1), 0.5] }] })],
        [400, infer({ inputs: [{ ...one, data: [...data.slice(1), null] }] })],
        [400, infer({ inputs: [{ ...one, data: [data] }] })],
        [400, infer({ inputs: [{ ...one, shape: [0, SIZE, SIZE, 3], data: [] }] })],
        [400, infer({ inputs: [{ ...one, shape: [-1, SIZE, SIZE, 3], data }] })],
        [400, infer({ inputs: [{ ...one, shape: [2 ** 40, SIZE, SIZE, 3], data }] })],
        [400, infer({ inputs: [{ ...one, data }], outputs: [{ name: "x" }] })],
        [400, infer({ inputs: [{ ...one, parameters: { binary_data_size: 192 } }] })],
        [400, post(`${MODEL}/infer`, "{", { "inference-header-content-length": "99" })],
        [400, post(`${MODEL}/infer`, "[".repeat(90_000))],
        [400, post(`${MODEL}/infer`, Uint8Array.of(0xff, 0xfe))],
        [400, post(`${MODEL}/infer`, "no gzip", { "content-encoding": "gzip" })],
        [413, post(`${MODEL}/infer`, gzipSync(Buffer.alloc(200_000)), { "content-encoding": "gzip" })],
        [415, post(`${MODEL}/infer`, "{}", { "content-encoding": "br" })],
        [413, post(`${MODEL}/classify`, new Uint8Array(100_001))],
        [400, post(`${MODEL}/classify`, hugePng())],
        [400, post(`${MODEL}/classify`, yield* png(101, 100, "#fff"))],
        [415, post(`${MODEL}/classify`, "")],
        [415, post(`${MODEL}/classify`, '<svg xmlns="http://www.w3.org/2000/svg"/>')],
        [400, post(`${MODEL}/classify`, (yield* png(50, 50, "#123")).subarray(0, 60))],
        [400, post(`${MODEL}/classify?top=0`, yield* png(5, 5, "#123"))],
        [400, post(`${MODEL}/classify`, "--", { "content-type": "multipart/form-data; boundary=x" })],
        [400, post("/v1/models/small:predict", "{}")],
        [400, post("/v1/models/small:predict", '{"instances":[{"b64":"*"}]}')],
        [404, post("/v2/models/other/classify", "x")],
        [404, post(`${MODEL}/versions/3/classify`, "x")],
        [404, post("/v1/models/small:regress", "{}")],
        [404, send("/etc/passwd")],
        [404, send("/v2/models/..%2f..%2fetc")],
        [405, send(`${MODEL}/classify`)],
        [405, send("/v2", { method: "DELETE" })]
      ] as const
      for (const [index, [status, request]] of cases.entries()) {
        const answer = yield* request
        assert.strictEqual(answer.status, status, `case ${index}: ${answer.text}`)
        const { error } = answer.json()
        assert.match(error, /^[^\n]{3,300}$/, `case ${index}`)
        assert.notInclude(error, folder)
        assert.notMatch(error, /node_modules|\.ts\b|\.js\b|\n/)
      }
      const { log } = yield* Server
      assert.notInclude(
        log.map((line) => line.slice(0, 3)),
        "500"
      )
    })
  )

  it.effect("counts what it does, for Prometheus and for Triton's clients", () =>
    Effect.gen(function* () {
      const image = yield* png(5, 5, "#123")
      yield* Effect.all(
        Array.from({ length: 8 }, () => post(`${MODEL}/versions/1/classify`, image)),
        { concurrency: "unbounded" }
      )
      const [{ batch_stats, execution_count, inference_count }] = (yield* send(
        `${MODEL}/versions/1/stats`
      )).json().model_stats
      assert.isAtLeast(inference_count, 8)
      assert.strictEqual(
        batch_stats.reduce(
          (sum: number, one: { batch_size: number; compute_infer: { count: number } }) =>
            sum + one.batch_size * one.compute_infer.count,
          0
        ),
        inference_count
      )
      assert.isAtMost(execution_count, inference_count)
      const { headers, text } = yield* send("/metrics")
      assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
      assert.match(
        text,
        /shakedrop_http_requests_total\{route="\/v2\/models\/\{model\}\/versions\/\{version\}\/classify",method="POST",status="200"\} 8\n/
      )
      for (const stage of ["queue", "preprocessing", "device", "postprocessing"]) {
        assert.include(
          text,
          `shakedrop_stage_duration_seconds_count{model="small",version="1",stage="${stage}"}`
        )
      }
      assert.match(text, /shakedrop_waiting_images\{model="small",version="1"\} 0\n/)
    })
  )
})
