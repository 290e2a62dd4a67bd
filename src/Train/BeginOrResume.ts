/** Where a training starts: at its first step, or after the last step that was saved. */
import * as Effect from "effect/Effect"
import { message, warning } from "../Events.ts"
import { describeForecast, measureSpeed } from "./Probe/Forecast.ts"
import { START } from "./Run/Counters.ts"
import type { PreparedRun } from "./TrainingRun.ts"

/** Begins a run: says what it will take, and writes its configuration. */
export const begin = Effect.fn("begin")(function* (run: PreparedRun) {
  const { config, dataset, experiment, folder, images, network, program, registry, replicas } = run
  const { train } = experiment
  const { optimizers } = registry
  const imagesPerSecond = yield* measureSpeed(program, images, train, replicas.share !== undefined)
  const lines = describeForecast({ network, train, dataset, imagesPerSecond, optimizers })
  for (const line of lines) yield* message(line)
  yield* folder.writeConfig(config)
  return START
})

/** Continues a run from the state that its program has; where nothing was saved yet it begins anew. */
export const resume = Effect.fn("resume")(function* ({ config, folder, saved }: PreparedRun) {
  const { counters, told } = saved
  for (const line of told) yield* warning(line)
  yield* message(`continued after step ${counters.step}`)
  // The data may lie elsewhere now.
  yield* folder.writeConfig(config)
  yield* folder.truncateMetrics(counters.epoch)
  return counters
})
