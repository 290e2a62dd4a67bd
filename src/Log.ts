/** Logs of a training for programs of others: each hears of its events or metrics, as `train.log` asks for them. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { LogConfig } from "./Config/Log.ts"
import { Events, publisher } from "./Events.ts"
import { consumer, type Sink } from "./Log/Consumer.ts"
import { tensorBoard } from "./Log/TensorBoard.ts"

const sinksOf = Effect.fnUntraced(function* ({ mlflow, tensorboard }: LogConfig) {
  const sinks: Array<Sink> = []
  if (tensorboard !== undefined) sinks.push(tensorBoard(tensorboard.directory))
  if (mlflow !== undefined) {
    const { mlflow: connect } = yield* Effect.promise(() => import("./Log/Mlflow.ts"))
    sinks.push(yield* connect(mlflow))
  }
  return sinks
})

/** What effect's observability has to do with it; loaded where it is asked for. */
const telemetryOf = Effect.fnUntraced(function* (
  { otlp, prometheus }: LogConfig,
  warn: (text: string) => void
) {
  if (otlp === undefined && prometheus === undefined) return Layer.empty
  const telemetry = yield* Effect.promise(() => import("./Log/Telemetry.ts"))
  if (prometheus !== undefined) yield* telemetry.prometheus(prometheus, warn)
  return otlp === undefined ? Layer.empty : telemetry.otlp(otlp, warn)
})

/** Runs a training that the loggers are told of. They have done what they can when it ends. */
export const logged =
  (config: LogConfig | undefined) =>
  <A, E, R>(training: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    config === undefined
      ? training
      : (Effect.gen(function* () {
          const tell = yield* publisher
          const warn = (text: string): void => tell({ _tag: "Warning", text })
          const options = { everySteps: config.everySteps, warn }
          const consumers = yield* Effect.forEach(yield* sinksOf(config), (sink) => consumer(sink, options))
          const publish: typeof Events.Service.publish = (event) => {
            tell(event)
            for (const take of consumers) take(event)
          }
          return yield* training.pipe(
            Effect.provideService(Events, { publish }),
            Effect.provide(yield* telemetryOf(config, warn))
          )
        }).pipe(Effect.scoped) as Effect.Effect<A, E, R>)
