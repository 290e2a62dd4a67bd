/** Logs of a training for programs of others: each is a consumer of its events, as `train.log` asks for them. */
import * as Effect from "effect/Effect"
import type { LogConfig } from "./Config/Log.ts"
import { Events, publisher } from "./Events.ts"
import { consumer } from "./Log/Consumer.ts"
import { tensorBoard } from "./Log/TensorBoard.ts"

/** Runs a training whose events go to the loggers too. They have done what they can when it ends. */
export const logged =
  (config: LogConfig | undefined) =>
  <A, E, R>(training: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    config === undefined
      ? training
      : (Effect.gen(function* () {
          const tell = yield* publisher
          const options = {
            everySteps: config.everySteps,
            warn: (text: string) => tell({ _tag: "Warning", text })
          }
          const sinks = [
            ...(config.tensorboard === undefined ? [] : [tensorBoard(config.tensorboard.directory)])
          ]
          const consumers = yield* Effect.forEach(sinks, (sink) => consumer(sink, options))
          return yield* Effect.provideService(training, Events, {
            publish: (event) => {
              tell(event)
              for (const take of consumers) take(event)
            }
          })
        }).pipe(Effect.scoped) as Effect.Effect<A, E, R>)
