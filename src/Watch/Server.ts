/** The server behind the page: it reads, and only what belongs to a run that it has found itself. */
import * as fs from "node:fs"
import { createServer } from "node:http"
import * as path from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { LARGEST_TEXT, readFile } from "../Platform/Files.ts"
import { WatchError } from "./Errors.ts"
import { HEADERS, isOurs, REPORT_HEADERS } from "./Guard.ts"
import { listPage, listPart, onePage } from "./Pages.ts"
import { runPage } from "./RunPage.ts"
import { type WatchedRun, watchedRuns } from "./Runs.ts"
import { SCRIPT } from "./Script.ts"

export interface WatchOptions {
  /** The folder with runs, or a run's. */
  readonly root: string
  /** Where to listen; only this machine reaches 127.0.0.1. */
  readonly host: string
  /** 0 for one that is free. */
  readonly port: number
}

/** Where it is looked for first. */
export const USUAL_PORT = 7007

/** How often runs are looked at while a page is open, and how often a quiet connection is used so that it is kept. */
const EVERY = "1 second"
const KEEP = "20 seconds"

/** Pages that are kept up to date at a time. */
const MOST_OPEN = 64

const text = (body: string, status = 200, contentType = "text/plain; charset=utf-8") =>
  HttpServerResponse.text(body, { status, contentType, headers: HEADERS })

const page = (body: string) => text(body, 200, "text/html; charset=utf-8")

const NOT_THERE = text("There is no such page.\n", 404)

/** The report of a run, where it lies in the run's own folder. */
const report = Effect.fnUntraced(function* ({ directory }: WatchedRun) {
  const file = path.join(directory, "report.html")
  const isInside = yield* Effect.try(() => path.dirname(fs.realpathSync(file)) === fs.realpathSync(directory))
  if (!isInside) return NOT_THERE
  const body = yield* readFile(file, LARGEST_TEXT)
  return HttpServerResponse.uint8Array(body, {
    contentType: "text/html; charset=utf-8",
    headers: REPORT_HEADERS
  })
})

/** New contents of a page whenever the runs have changed, as server-sent events. */
const eventsOf = (runs: Effect.Effect<ReadonlyArray<WatchedRun>>, query: URLSearchParams) => {
  const name = query.get("name")
  const part = (all: ReadonlyArray<WatchedRun>): string => {
    if (query.get("page") !== "/run") return listPart(all, query).text
    const run = all.find((run) => run.name === name)
    return run === undefined ? "<p>The run is gone.</p>" : runPage(run).text
  }
  const contents = Stream.fromEffectSchedule(runs, Schedule.spaced(EVERY)).pipe(
    Stream.changes,
    Stream.map(part),
    Stream.changes,
    Stream.map((html) => `data: ${JSON.stringify(html)}\n\n`)
  )
  const kept = Stream.map(Stream.tick(KEEP), () => ": \n\n")
  return Stream.encodeText(Stream.merge(contents, kept))
}

const appOf = (root: string, bound: string) =>
  Effect.gen(function* () {
    // However many pages are open, the folder is looked at once.
    const runs = yield* Effect.cachedWithTTL(watchedRuns(root), "500 millis")
    let open = 0

    const events = (query: URLSearchParams) => {
      if (open >= MOST_OPEN) return text("Too many pages are open.\n", 503)
      const counted = Effect.acquireRelease(
        Effect.sync(() => open++),
        () => Effect.sync(() => open--)
      )
      const stream = Stream.unwrap(Effect.as(counted, eventsOf(runs, query)))
      return HttpServerResponse.stream(stream, { contentType: "text/event-stream", headers: HEADERS })
    }

    const named = Effect.fnUntraced(function* (query: URLSearchParams) {
      const name = query.get("name")
      return (yield* runs).find((run) => run.name === name)
    })

    return Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (!isOurs(request.headers.host, bound))
        return text("This server does not answer for that name.\n", 421)
      if (request.method !== "GET" && request.method !== "HEAD") return text("This server only shows.\n", 405)
      const [pathname, search = ""] = request.url.split("?")
      const query = new URLSearchParams(search)
      switch (pathname) {
        case "/":
          return page(listPage(root, yield* runs, query))
        case "/watch.js":
          return text(SCRIPT, 200, "text/javascript; charset=utf-8")
        case "/events":
          return events(query)
        case "/run":
        case "/report": {
          const run = yield* named(query)
          if (run === undefined) return NOT_THERE
          if (pathname === "/run") return page(onePage(run))
          return yield* Effect.orElseSucceed(report(run), () => NOT_THERE)
        }
        default:
          return NOT_THERE
      }
    })
  })

/** Why an address cannot be listened on. */
const refusal = ({ host, port }: WatchOptions, cause: unknown): WatchError => {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === "EADDRINUSE") {
    return new WatchError({
      reason: "PortTaken",
      message: `another program listens on port ${port} of ${host}`
    })
  }
  return new WatchError({
    reason: "NotAllowed",
    message: `${host}, port ${port} cannot be listened on: ${message}`
  })
}

/** Shows the runs of a folder until the scope ends; gives the page's address. */
export const watch = Effect.fn("watch")(function* (options: WatchOptions) {
  const { host, port } = options
  const root = path.resolve(options.root)
  if (!fs.statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    return yield* new WatchError({ reason: "NoFolder", message: `there is no folder ${options.root}` })
  }
  const server = yield* NodeHttpServer.make(createServer, {
    host,
    port,
    // Events have no end: nobody waits for it.
    gracefulShutdownTimeout: 0
  }).pipe(Effect.mapError(({ cause }) => refusal(options, cause)))
  yield* server.serve(yield* appOf(root, host))
  const { address } = server
  const own = "port" in address ? address.port : port
  const shown = ["0.0.0.0", "::"].includes(host) ? "localhost" : host.includes(":") ? `[${host}]` : host
  return `http://${shown}:${own}/`
})
