/** What `shakedrop train` does with a plan, and what it tells of it. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Dataset } from "../../Data.ts"
import { Device } from "../../Device.ts"
import { message, warning } from "../../Events.ts"
import { percent } from "../../Platform/Text.ts"
import { writeReport } from "../../Report.ts"
import type { Plan } from "../../Train/Plan.ts"
import { smokeDataset } from "../../Train/Probe/DryRun.ts"
import { RunFolder, type RunResult, train } from "../../Train.ts"
import { commandLine } from "../Shared/CommandLine.ts"
import type { TrainInput } from "./Flags.ts"

/** The data set of a plan; of a trial a few images. */
export const datasetOf = ({ experiment, smoke }: Plan) => {
  const whole = Dataset.layer(experiment.data)
  if (!smoke) return whole
  const few = Effect.map(Dataset, (dataset) => smokeDataset(dataset, experiment))
  return Layer.provide(Layer.effect(Dataset, few), whole)
}

/** Shows the run and its neighbours on a page until the scope ends. No training stops for want of it. */
const showPage = Effect.fnUntraced(function* (directory: string) {
  const { USUAL_PORT, watch } = yield* Effect.promise(() => import("../../Watch.ts"))
  const at = (port: number) => watch({ root: path.dirname(path.resolve(directory)), host: "127.0.0.1", port })
  yield* at(USUAL_PORT).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "PortTaken",
      () => at(0)
    ),
    Effect.matchEffect({
      onSuccess: (address) => message(`watch it on ${address}`),
      onFailure: (error) => warning(`it cannot be watched on a page: ${error.message}`)
    })
  )
})

/** Trains, and writes the report. */
const trainAndReport = Effect.fnUntraced(function* (plan: Plan, input: TrainInput) {
  const { directory } = yield* RunFolder
  const { experiment, smoke } = plan
  const { name } = yield* Device
  const dataset = yield* Dataset
  yield* message(`${experiment.name}: ${dataset.name} on ${name}, into ${directory}`)
  if (input.ui) yield* showPage(directory)
  if (smoke) yield* message("a trial: two steps, from random weights")
  const { result } = yield* train(experiment, {
    command: commandLine(),
    workers: input.workers,
    profile: Option.getOrUndefined(input.profile),
    whenTrained: writeReport
  })
  return result
}, Effect.scoped)

/** After an interruption: how to go on, where there is something to go on from. */
const tellInterrupted = Effect.gen(function* () {
  const { directory, isSaved } = yield* RunFolder
  yield* Console.error(
    (yield* isSaved)
      ? `interrupted and saved; continue with: npx shakedrop train --resume --out ${directory}`
      : "interrupted before anything was saved"
  )
})

const tellResult = Effect.fnUntraced(function* (result: RunResult) {
  const [low, high] = result.interval
  yield* Console.log(
    `${result.dataset}, ${result.images} test images: ${percent(result.accuracy)} (95 % interval ${percent(low)} to ${percent(high)}), ${result.selection}`
  )
  if (result.overViews === undefined) return
  const { accuracy, interval, views } = result.overViews
  yield* Console.log(
    `with the mean over ${views} views of each image: ${percent(accuracy)} (95 % interval ${interval.map(percent).join(" to ")})`
  )
})

/** What a trial is for: how large and how slow the whole would be. */
const tellTrial = Effect.fnUntraced(function* ({ experiment }: Plan, result: RunResult) {
  const { batchSize } = experiment.train
  const [{ imagesPerSecond }] = yield* (yield* RunFolder).metrics
  const peak = process.resourceUsage().maxRSS / 2 ** 20
  yield* Console.log(
    `${result.parameters.toLocaleString("en-GB")} parameters, ${(batchSize / imagesPerSecond).toPrecision(2)} s a step of ${batchSize} images, peak memory ${peak.toFixed(1)} GiB`
  )
})

/** Trains in the plan's folder, and tells what came of it. */
export const trainAndTell = Effect.fnUntraced(function* (plan: Plan, input: TrainInput) {
  const result = yield* trainAndReport(plan, input).pipe(Effect.onInterrupt(() => tellInterrupted))
  yield* tellResult(result)
  if (plan.smoke) yield* tellTrial(plan, result)
  const { report } = yield* RunFolder
  yield* Console.log(`report  ${path.resolve(report)}`)
})
