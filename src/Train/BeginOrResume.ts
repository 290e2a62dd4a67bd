/** Where a training starts: at its first step, or after the last step that was saved. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Checkpoint } from "../Checkpoint.ts"
import { decodeStrictly } from "../Config/Decode.ts"
import { message, warning } from "../Events.ts"
import { describeForecast, measureSpeed } from "./Probe/Forecast.ts"
import { BestEvaluation, Counters, START } from "./Run/Counters.ts"
import { RunError } from "./Run/RunError.ts"
import { newestState, type RunFolder } from "./Run/RunFolder.ts"
import { findInitialWeights } from "./Start/InitialWeights.ts"
import type { PreparedRun } from "./TrainingRun.ts"

/** Begins a run: says what it will take, and writes its configuration. */
export const begin = Effect.fn("begin")(function* (run: PreparedRun) {
  const { config, dataset, experiment, folder, images, network, program, registry } = run
  const { train } = experiment
  const { optimizers } = registry
  const imagesPerSecond = yield* measureSpeed(program, images, train)
  const lines = describeForecast({ network, train, dataset, imagesPerSecond, optimizers })
  for (const line of lines) yield* message(line)
  yield* folder.writeConfig(config)
  return START
})

/** What a checkpoint says besides its tensors. */
const countersOf = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  { counters, step }: Checkpoint,
  directory: string
): Effect.Effect<S["Type"], RunError> =>
  decodeStrictly(schema, counters).pipe(
    Effect.mapError((problem) => {
      const message = `the checkpoint of step ${step} of the run in ${directory} does not say where the run stands: ${problem.message}`
      return new RunError({ reason: "DamagedCheckpoint", directory, message })
    })
  )

/**
 * The best evaluation that a state speaks of, if its checkpoint is whole. Otherwise the one whose checkpoint is there,
 * or none, and a line that says so: counters and checkpoint are never of two evaluations.
 */
const bestOf = Effect.fnUntraced(function* (
  { best }: Counters,
  { checkpoints, directory }: RunFolder["Service"]
) {
  if (best === null) return { best, told: [] }
  const { checkpoint, skipped } = yield* checkpoints.find("best")
  if (Option.isNone(checkpoint)) {
    const why = skipped[0] ?? "its best checkpoint is missing"
    return { best: null, told: [`${why}; the best of the epochs from here on is kept in its place`] }
  }
  const { step } = checkpoint.value
  if (step === best.step) return { best, told: [] }
  const found = yield* countersOf(BestEvaluation, checkpoint.value, directory)
  const told = `the best checkpoint is of epoch ${found.epoch}, later than the state that the run goes on from; it is kept`
  return { best: { ...found, step }, told: [told] }
})

/** Continues a run from its newest whole checkpoint; where nothing was saved yet it begins anew. */
export const resume = Effect.fn("resume")(function* (run: PreparedRun) {
  const { config, experiment, folder, program } = run
  const { checkpoint: state, skipped } = yield* newestState(folder)
  for (const line of skipped) yield* warning(`${line}; it is passed over`)
  let start = START
  if (Option.isSome(state)) {
    yield* program.write(state.value.tensors)
    const counters = yield* countersOf(Counters, state.value, folder.directory)
    const { best, told } = yield* bestOf(counters, folder)
    for (const line of told) yield* warning(line)
    start = { ...counters, best }
  } else {
    // Without a checkpoint the file of weights is needed again.
    yield* findInitialWeights(experiment)
  }
  yield* message(`continued after step ${start.step}`)
  // The data may lie elsewhere now.
  yield* folder.writeConfig(config)
  yield* folder.truncateMetrics(start.epoch)
  return start
})
