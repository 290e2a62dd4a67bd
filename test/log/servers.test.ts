/** MLflow, OTLP and Prometheus against servers of a test's own; real ones in test/clients/mlflow.sh. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { publish } from "../../src/Events.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { logged } from "../../src/Log.ts"
import { quickstart } from "../../src/Recipe/Quickstart.ts"
import { observeStep, spanned } from "../../src/Train/Observe.ts"
import { heardTexts } from "../support/Events.ts"

interface Asked {
  readonly path: string
  readonly body: Record<string, unknown>
}

/** A server until the scope ends, and what it was asked. */
const server = (answer: (path: string) => readonly [status: number, body: object]) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const asked: Array<Asked> = []
      const http = createServer((request, response) => {
        let text = ""
        request.on("data", (chunk) => {
          text += chunk
        })
        request.on("end", () => {
          const path = request.url ?? ""
          asked.push({ path, body: text === "" ? {} : JSON.parse(text) })
          const [status, body] = answer(path)
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
        })
      })
      await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
      return { http, asked, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
    }),
    ({ http }) =>
      Effect.sync(() => {
        http.closeAllConnections()
        http.close()
      })
  )

/** A port on which nobody listens. */
const nobody = Effect.map(Effect.scoped(server(() => [200, {}])), ({ url }) => url)

/** What is told of a training of one epoch that goes on after so many steps, to its end unless it is stopped. */
const training = (step: number, stopped = false) =>
  Effect.gen(function* () {
    const experiment = yield* decodeExperiment(quickstart.experiment)
    yield* publish({ _tag: "Started", directory: "runs/one", experiment, epoch: 0, step })
    yield* observeStep({ loss: 1.5, accuracy: 0.5, learningRate: 0.1, images: 8, seconds: 1, waited: 0 })
    yield* publish({
      _tag: "Epoch",
      metrics: {
        ...{ epoch: 1, step: step + 10, lr: 0.1, trainLoss: 1, trainAccuracy: 0.5, valLoss: null },
        ...{ accuracy: { raw: 0.4 }, imagesPerSecond: 10, seconds: 1, waitShare: 0 }
      }
    })
    if (!stopped) yield* publish({ _tag: "Finished", directory: "runs/one", accuracy: 0.75 })
  }).pipe(spanned("epoch", { epoch: 1 }))

const MLFLOW = "/api/2.0/mlflow/"

const mlflowAnswers = (path: string): readonly [number, object] => {
  const name = path.slice(MLFLOW.length).split("?")[0]
  const run = { info: { run_id: "r1" } }
  switch (name) {
    case "experiments/get-by-name":
      return [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "none" }]
    case "experiments/create":
      return [200, { experiment_id: "7" }]
    case "runs/create":
      return [200, { run }]
    case "runs/search":
      return [200, { runs: [run] }]
    default:
      return [200, {}]
  }
}

describe("MLflow", () => {
  it.live("is told of a run, its configuration and its numbers", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* server(mlflowAnswers)
      yield* training(0).pipe(logged({ everySteps: 1, mlflow: { url: `${url}/`, experiment: "a & b" } }))
      assert.deepStrictEqual(
        asked.slice(0, 3).map(({ path }) => path.slice(MLFLOW.length)),
        ["experiments/get-by-name?experiment_name=a+%26+b", "experiments/create", "runs/create"]
      )
      const params = asked.flatMap(
        ({ body }) => (body.params ?? []) as ReadonlyArray<{ readonly key: string }>
      )
      assert.isTrue(params.some(({ key }) => key === "train.learningRate"))
      const metrics = asked.flatMap(
        ({ body }) =>
          (body.metrics ?? []) as ReadonlyArray<{
            readonly key: string
            readonly step: number
            readonly value: number
          }>
      )
      const found = metrics.map(({ key, step, value }) => `${key} ${value} at ${step}`)
      assert.include(found, "epoch/validation_accuracy/raw 0.4 at 10")
      assert.include(found, "test/accuracy 0.75 at 10")
      assert.strictEqual(asked.at(-1)?.body.status, "FINISHED")
    }).pipe(Effect.scoped)
  )

  it.live("finds the run that goes on, and hears that it was stopped", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* server(mlflowAnswers)
      yield* training(20, true).pipe(logged({ everySteps: 1, mlflow: { url, experiment: "x" } }))
      const paths = asked.map(({ path }) => path.slice(MLFLOW.length))
      assert.include(paths, "runs/search")
      assert.notInclude(paths, "runs/create")
      assert.strictEqual(asked.at(-1)?.body.status, "KILLED")
    }).pipe(Effect.scoped)
  )
})

describe("OTLP", () => {
  it.live("has the gauges and spans of a training", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* server(() => [200, {}])
      yield* training(0).pipe(logged({ everySteps: 1, otlp: { url } }))
      const sent = (path: string) => JSON.stringify(asked.filter((one) => one.path === path))
      assert.include(sent("/v1/metrics"), "shakedrop_loss")
      assert.include(sent("/v1/traces"), "shakedrop.epoch")
    }).pipe(Effect.scoped)
  )
})

describe("Prometheus", () => {
  it.live("can fetch the gauges while a training runs", () =>
    Effect.gen(function* () {
      const { hostname, port } = new URL(yield* nobody)
      const prometheus = { host: hostname, port: Number(port) }
      let text = ""
      const fetched = Effect.promise(async () => {
        const response = await fetch(`http://${hostname}:${port}/metrics`)
        assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
        text = await response.text()
      })
      yield* Effect.andThen(training(0), fetched).pipe(logged({ everySteps: 1, prometheus }))
      assert.match(text, /^# HELP shakedrop_loss Mean loss/m)
      assert.match(text, /^shakedrop_loss 1\.5$/m)
    }).pipe(Effect.scoped)
  )
})

it.live("what cannot be reached or listened on is told once, and stops nothing", () =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const url = yield* nobody
    const taken = yield* server(() => [200, {}])
    const { hostname, port } = new URL(taken.url)
    yield* training(0).pipe(
      logged({
        ...{ everySteps: 1, mlflow: { url, experiment: "x" }, otlp: { url } },
        prometheus: { host: hostname, port: Number(port) }
      }),
      heardTexts((text) => texts.push(text))
    )
    const said = (name: string) => texts.filter((text) => text.startsWith(name))
    assert.match(said("MLflow")[0], /does not answer; the training goes on/)
    assert.match(said("MLflow")[1], /3 events of the training did not get there/)
    assert.strictEqual(said("OTLP").length, 1)
    assert.match(said("Prometheus")[0], /cannot be listened on/)
    assert.strictEqual(texts.length, 4)
  }).pipe(Effect.scoped)
)
