/** MLflow's tracking server, by its REST API (https://mlflow.org/docs/latest/rest-api.html). */
import * as os from "node:os"
import * as path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { flattened } from "../Config/Overlay.ts"
import type { Event } from "../Events.ts"
import { sha256 } from "../Platform/Hash.ts"
import { httpClient } from "../Platform/HttpClient.ts"
import { LogError, type Sink } from "./Consumer.ts"
import { scalarsOf } from "./Scalars.ts"

type Started = Extract<Event, { readonly _tag: "Started" }>

/** The most that the server takes at once, and the characters of a value. */
const METRICS = 1000
const PARAMETERS = 100
const LONGEST = 500

/** A tag by which a run is found again when it goes on. */
const IDENTITY = "shakedrop.run"

const Experiment = Schema.Struct({ experiment_id: Schema.String })
const Found = Schema.Struct({ experiment: Experiment })
const Run = Schema.Struct({ info: Schema.Struct({ run_id: Schema.String }) })
const Created = Schema.Struct({ run: Run })
const Search = Schema.Struct({ runs: Schema.optionalKey(Schema.Array(Run)) })
const Refusal = Schema.Struct({ error_code: Schema.optionalKey(Schema.String), message: Schema.String })

/** What the server has refused, by its name for it. */
class Refused extends LogError {
  readonly code: string | undefined
  constructor(message: string, code: string | undefined) {
    super({ message })
    this.code = code
  }
}

interface Options {
  readonly url: string
  readonly experiment: string
}

/** Asks the server, and decodes what it answers. */
const makeAsk = Effect.fnUntraced(function* (url: string) {
  const client = yield* Effect.mapError(httpClient, ({ message }) => new LogError({ message }))
  const base = url.replace(/\/+$/, "")
  return Effect.fnUntraced(function* <A>(
    name: string,
    body: object | undefined,
    answer: Schema.Codec<A, unknown>
  ): Effect.fn.Return<A, LogError> {
    const target = `${base}/api/2.0/mlflow/${name}`
    const request =
      body === undefined
        ? HttpClientRequest.get(target)
        : HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(target), body)
    const [status, text] = yield* client.execute(request).pipe(
      Effect.flatMap((response) => Effect.map(response.text, (text) => [response.status, text] as const)),
      Effect.timeout("30 seconds"),
      Effect.mapError(() => new LogError({ message: `${base} does not answer` }))
    )
    if (status === 200) {
      return yield* Effect.mapError(
        Schema.decodeUnknownEffect(Schema.fromJsonString(answer))(text),
        () => new LogError({ message: `${base} answers ${name} otherwise than MLflow does` })
      )
    }
    const { error_code, message } = yield* Effect.orElseSucceed(
      Schema.decodeUnknownEffect(Schema.fromJsonString(Refusal))(text),
      (): typeof Refusal.Type => ({ message: "" })
    )
    return yield* Effect.fail(
      new Refused(`${base} refuses ${name} (${status}) ${message}`.trim(), error_code)
    )
  })
})

type Ask = Effect.Success<ReturnType<typeof makeAsk>>

const Nothing = Schema.Struct({})

/** The experiment of a name, which is made where there is none. */
const experimentOf = Effect.fnUntraced(function* (ask: Ask, name: string) {
  const found = yield* ask(
    `experiments/get-by-name?${new URLSearchParams({ experiment_name: name })}`,
    undefined,
    Found
  ).pipe(
    Effect.map(({ experiment }) => experiment.experiment_id),
    Effect.catchIf(
      (error) => error instanceof Refused && error.code === "RESOURCE_DOES_NOT_EXIST",
      () => Effect.succeed(undefined)
    )
  )
  return found ?? (yield* ask("experiments/create", { name }, Experiment)).experiment_id
})

/** The run that is begun, or gone on with; gives its number at the server. */
const runOf = Effect.fnUntraced(function* (ask: Ask, name: string, { directory, experiment, step }: Started) {
  const experiment_id = yield* experimentOf(ask, name)
  const identity = sha256([os.hostname(), "\0", path.resolve(directory)])
  if (step > 0) {
    const filter = `tags."${IDENTITY}" = '${identity}'`
    const query = { experiment_ids: [experiment_id], filter, max_results: 1 }
    const { runs = [] } = yield* ask("runs/search", query, Search)
    if (runs.length > 0) {
      const { run_id } = runs[0].info
      yield* ask("runs/update", { run_id, status: "RUNNING" }, Nothing)
      return run_id
    }
  }
  const { run } = yield* ask(
    "runs/create",
    {
      experiment_id,
      run_name: path.basename(directory),
      start_time: yield* Clock.currentTimeMillis,
      tags: [{ key: IDENTITY, value: identity }]
    },
    Created
  )
  const { run_id } = run.info
  const params = flattened(experiment).map(([key, value]) => ({
    key,
    value: (typeof value === "string" ? value : JSON.stringify(value)).slice(0, LONGEST)
  }))
  for (let at = 0; at < params.length; at += PARAMETERS) {
    yield* ask("runs/log-batch", { run_id, params: params.slice(at, at + PARAMETERS) }, Nothing)
  }
  return run_id
})

/** The numbers of events, as the server takes them. */
const metricsOf = (events: ReadonlyArray<Event>, timestamp: number, last: number) => {
  let step = last
  const metrics = events.flatMap((event) => {
    const scalars = scalarsOf(event)
    if (scalars !== undefined) step = scalars.step
    const values =
      event._tag === "Finished" ? [["test/accuracy", event.accuracy] as const] : (scalars?.values ?? [])
    return values.map(([key, value]) => ({ key, value, timestamp, step }))
  })
  return { metrics, step }
}

/** Tells a server of a run; of one that goes on, in the run that it had there. */
export const mlflow = Effect.fnUntraced(function* ({ experiment, url }: Options) {
  // Now, so that the client ends after the consumer that uses it. That it cannot be had is told as any failure.
  const connect = yield* Effect.exit(makeAsk(url))
  let started: Started | undefined
  let runId: string | undefined
  let last = 0
  const end = (ask: Ask, status: "FINISHED" | "KILLED") =>
    Effect.flatMap(Clock.currentTimeMillis, (end_time) =>
      ask("runs/update", { run_id: runId, status, end_time }, Nothing)
    )
  const sink: Sink = {
    name: "MLflow",
    write: Effect.fnUntraced(function* (events) {
      started ??= events.find((event) => event._tag === "Started")
      if (started === undefined) return
      const ask = yield* connect
      runId ??= yield* runOf(ask, experiment, started)
      const { metrics, step } = metricsOf(events, yield* Clock.currentTimeMillis, last)
      for (let at = 0; at < metrics.length; at += METRICS) {
        yield* ask("runs/log-batch", { run_id: runId, metrics: metrics.slice(at, at + METRICS) }, Nothing)
      }
      last = step
      if (events.some(({ _tag }) => _tag === "Finished")) {
        yield* end(ask, "FINISHED")
        runId = undefined
        started = undefined
      }
    }),
    close: Effect.suspend(() =>
      runId === undefined ? Effect.void : Effect.flatMap(connect, (ask) => end(ask, "KILLED"))
    )
  }
  return sink
})
