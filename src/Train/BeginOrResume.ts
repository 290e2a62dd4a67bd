/** Where a training starts: at its first step, or after the last step that was saved. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Checkpoint } from "../Checkpoint.ts"
import { decodeStrictly } from "../Config/Decode.ts"
import { describeForecast, measureSpeed } from "./Probe/Forecast.ts"
import { Counters, START } from "./Run/Counters.ts"
import { findInitialWeights } from "./Run/InitialWeights.ts"
import { truncateMetrics } from "./Run/Metrics.ts"
import { beginRun, RunError } from "./Run/RunConfig.ts"
import type { PreparedRun } from "./TrainingRun.ts"

/** Begins a run: says what it will take, and writes its configuration. */
export const begin = Effect.fn("begin")(function* (run: PreparedRun) {
  const { config, dataset, directory, experiment, images, network, program, progress } = run
  const { train } = experiment
  const imagesPerSecond = yield* measureSpeed(program, images, train)
  for (const line of describeForecast({ network, train, dataset, imagesPerSecond })) progress.message(line)
  yield* beginRun(directory, config)
  yield* truncateMetrics(directory, START.step)
  return START
})

const countersOf = ({ counters, step }: Checkpoint): Effect.Effect<Counters, RunError> =>
  decodeStrictly(Counters, counters).pipe(
    Effect.mapError(
      (problems) =>
        new RunError({
          message: `the checkpoint of step ${step} does not say where the run stands: ${problems}`
        })
    )
  )

/** Continues a run from its newest whole checkpoint; where nothing was saved it begins anew. */
export const resume = Effect.fn("resume")(function* (run: PreparedRun) {
  const { checkpoints, config, directory, experiment, program, progress } = run
  const { checkpoint, skipped } = yield* checkpoints.find("latest")
  for (const line of skipped) progress.message(`${line}; it is passed over`)
  let start = START
  if (Option.isSome(checkpoint)) {
    yield* program.write(checkpoint.value.tensors)
    start = yield* countersOf(checkpoint.value)
  } else if (config.initialWeights === undefined) {
    // Without a checkpoint the file of weights is needed again.
    yield* findInitialWeights(experiment)
  }
  progress.message(`continued after step ${start.step}`)
  yield* truncateMetrics(directory, start.step)
  return start
})
