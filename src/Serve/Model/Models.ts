/** The models of a server: loaded, found by name and version, and replaced while others still use them. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { message, warning } from "../../Events.ts"
import { Refusal, ServeError } from "../Errors.ts"
import type { Metrics } from "../Metrics.ts"
import { type ModelSource, type ServeOptions, WATCH_EVERY } from "../Options.ts"
import { type Batching, makeBatching } from "./Batching.ts"
import { batchSizesUpTo, identityOf, type Network, openNetwork } from "./Network.ts"
import { makeStatistics, type Statistics } from "./Statistics.ts"

/** A model with weights on the device. */
export interface Loaded {
  readonly network: Network
  readonly batching: Batching
  readonly statistics: Statistics
}

/** Weights on the device, and who uses them. */
interface Lease {
  readonly loaded: Loaded
  readonly scope: Scope.Closeable
  users: number
  replaced: boolean
}

export interface Model {
  readonly name: string
  readonly version: string
  /** Undefined until its network has run once in each size of batches. */
  readonly loaded: () => Loaded | undefined
  /** Uses the model as it is, which stays on the device meanwhile. */
  readonly use: <A, E, R>(f: (loaded: Loaded) => Effect.Effect<A, E, R>) => Effect.Effect<A, E | Refusal, R>
}

/** Images that every size of batches is tried with, so that nothing is compiled while somebody waits. */
const warmUp = Effect.fnUntraced(function* (
  source: ModelSource,
  { ask, batchSizes, classes, size }: Network
) {
  for (const batch of batchSizes) {
    const rows = yield* ask(new Uint8Array(batch * size.height * size.width * 3), batch)
    if (rows.length !== batch * classes.length || !rows.every(Number.isFinite)) {
      return yield* new ServeError({
        reason: "NotFinite",
        message: `the network of ${source.path} answers with NaN or infinity`
      })
    }
  }
})

/** Weights of a source on the device, with batches that run until the lease's scope closes. */
const load = Effect.fnUntraced(function* (
  source: ModelSource,
  { maxBatch, maxDelay }: Pick<ServeOptions, "maxBatch" | "maxDelay">,
  metrics: Metrics
) {
  const scope = yield* Scope.make()
  return yield* Effect.gen(function* () {
    const network = yield* openNetwork(source.path, batchSizesUpTo(maxBatch))
    yield* warmUp(source, network)
    const statistics = makeStatistics()
    const labels = { model: source.name, version: source.version }
    const onBatch: Parameters<typeof makeBatching>[0]["onBatch"] = (batch) => {
      statistics.batch(batch)
      metrics.batch(labels, batch)
    }
    const batching = yield* makeBatching({ network, maxDelay, onBatch })
    const lease: Lease = { loaded: { network, batching, statistics }, scope, users: 0, replaced: false }
    return lease
  }).pipe(
    Scope.provide(scope),
    Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void))
  )
})

const release = (lease: Lease): Effect.Effect<void> =>
  Effect.suspend(() => {
    lease.users--
    return lease.replaced && lease.users === 0 ? Scope.close(lease.scope, Exit.void) : Effect.void
  })

/** Puts a newer lease into the place of one, which is given up when its last user is done. */
const retire = (lease: Lease | undefined): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (lease === undefined) return Effect.void
    lease.replaced = true
    return lease.users === 0 ? Scope.close(lease.scope, Exit.void) : Effect.void
  })

const hold = Effect.fnUntraced(function* (source: ModelSource, options: ServeOptions, metrics: Metrics) {
  let current: Lease | undefined
  let identity = ""
  const replace = Effect.fnUntraced(function* () {
    // Weights that cannot be loaded are tried once.
    identity = yield* identityOf(source.path)
    const lease = yield* load(source, options, metrics)
    const before = current
    current = lease
    yield* retire(before)
  })
  yield* Effect.addFinalizer(() => retire(current))
  const look = Effect.gen(function* () {
    if ((yield* identityOf(source.path)) === identity) return
    yield* replace()
    yield* message(`${source.name} has newer weights`)
  }).pipe(
    Effect.catch((error) => warning(`${source.name} keeps its weights: ${error.message}`)),
    Effect.delay(WATCH_EVERY)
  )
  const model: Model = {
    name: source.name,
    version: source.version,
    loaded: () => current?.loaded,
    use: (f) =>
      Effect.acquireUseRelease(
        Effect.suspend(() => {
          if (current === undefined) {
            return Effect.fail(
              new Refusal({ status: 503, message: `the model ${source.name} is not ready yet` })
            )
          }
          current.users++
          return Effect.succeed(current)
        }),
        ({ loaded }) => f(loaded),
        release
      )
  }
  return { model, load: replace(), watch: Effect.forever(look) }
})

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ +-]{0,99}$/u

/** Names that can stand in an address, each with a version once. */
const checkNames = Effect.fnUntraced(function* (sources: ReadonlyArray<ModelSource>) {
  const seen = new Map<string, string>()
  for (const { name, path, version } of sources) {
    for (const [what, word] of [
      ["a model", name],
      ["a version", version]
    ] as const) {
      if (!NAME.test(word)) {
        return yield* new ServeError({
          reason: "Names",
          message: `${JSON.stringify(word)} cannot be the name of ${what}: letters, digits, spaces and ._+- make one`
        })
      }
    }
    const key = JSON.stringify([name, version])
    const before = seen.get(key)
    if (before !== undefined) {
      return yield* new ServeError({
        reason: "Names",
        message: `${before} and ${path} would both be version ${version} of the model ${name}`
      })
    }
    seen.set(key, path)
  }
})

export interface Models {
  readonly list: ReadonlyArray<Model>
  /** Versions of a model, the one that is meant where none is named first. */
  readonly versions: (name: string) => ReadonlyArray<Model>
  /** A model's version, or the highest one. */
  readonly find: (name: string, version?: string) => Effect.Effect<Model, Refusal>
}

const byVersion = (a: Model, b: Model): number => b.version.localeCompare(a.version, "en", { numeric: true })

/**
 * The models of a server. They are there at once, and loaded, one after the other, by the effect `load`; `watch` looks
 * for better weights for ever.
 */
export const makeModels = Effect.fnUntraced(function* (options: ServeOptions, metrics: Metrics) {
  yield* checkNames(options.models)
  const held = yield* Effect.forEach(options.models, (source) => hold(source, options, metrics))
  const list = held.map(({ model }) => model)
  const versions = (name: string) => list.filter((model) => model.name === name).sort(byVersion)
  const models: Models = {
    list,
    versions,
    find: (name, version) => {
      const all = versions(name)
      const found = version === undefined ? all[0] : all.find((model) => model.version === version)
      if (found !== undefined) return Effect.succeed(found)
      const what = version === undefined || all.length === 0 ? "model" : `version ${version} of the model`
      return Effect.fail(new Refusal({ status: 404, message: `there is no ${what} ${name}` }))
    }
  }
  return {
    models,
    load: Effect.forEach(held, ({ load }) => load, { discard: true }),
    watch: Effect.forEach(held, ({ watch }) => watch, { concurrency: "unbounded", discard: true })
  }
})
