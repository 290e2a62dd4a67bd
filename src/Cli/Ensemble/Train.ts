/** `shakedrop ensemble train`: train what an ensemble lacks, then evaluate it. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { DeviceName } from "../../Device/Session/ConfigProto.ts"
import type { Share } from "../../Distributed.ts"
import type { EnsembleConfig } from "../../Ensemble.ts"
import { commandLine } from "../Shared/CommandLine.ts"
import { optional, workersFlag } from "../Shared/Flags.ts"
import { evaluateAndReport } from "./Evaluate.ts"
import { configOf, ensembleFlags } from "./Input.ts"

/** Trains what is missing of an ensemble, then measures it on the test images; `smoke` tries both on a few. */
export const trainAndEvaluate = Effect.fnUntraced(function* (
  given: EnsembleConfig,
  options: {
    readonly device: typeof DeviceName.Type
    readonly smoke: boolean
    readonly workers: number | undefined
    /** Which runs are trained by this process, where others train the rest. */
    readonly share?: Share | undefined
  }
) {
  const { device, share, smoke, workers } = options
  const { Dataset } = yield* Effect.promise(() => import("../../Data.ts"))
  const { Device } = yield* Effect.promise(() => import("../../Device.ts"))
  const { smokeEnsemble, smokeEnsembleData, trainEnsemble, unfinishedRuns } = yield* Effect.promise(
    () => import("../../Ensemble/Train.ts")
  )
  const { writeReport } = yield* Effect.promise(() => import("../../Report.ts"))
  const config = smoke ? yield* smokeEnsemble(given) : given
  const unfinished = yield* unfinishedRuns(config, share)
  const whole = Dataset.layer(config.data)
  const data = smoke ? Layer.provide(Layer.effect(Dataset, smokeEnsembleData(config)), whole) : whole
  yield* Effect.gen(function* () {
    if (unfinished.length > 0) {
      yield* Effect.gen(function* () {
        const command = commandLine()
        yield* trainEnsemble(config, {
          command,
          workers,
          share,
          whenTrained: writeReport
        })
      }).pipe(Effect.scoped, Effect.provide(Device.layer(device)))
    }
    const left = share === undefined ? [] : yield* unfinishedRuns(config)
    if (left.length > 0) {
      const runs = left.length === 1 ? "run is" : "runs are"
      return yield* Console.log(
        `${left.length} ${runs} not finished yet: whoever finishes the last one evaluates`
      )
    }
    yield* evaluateAndReport(config, { device, split: "test", out: path.join("runs", config.name) })
  }).pipe(
    Effect.provide(data),
    Effect.onInterrupt(() =>
      Console.error("interrupted; what was saved is kept, and the same command goes on from there")
    )
  )
})

const shareNamed = Effect.fnUntraced(function* (text: string) {
  const { shareOf } = yield* Effect.promise(() => import("../../Distributed.ts"))
  return yield* Effect.fromResult(shareOf(text, process.env))
})

export const trainEnsembleCommand = Command.make(
  "train",
  {
    ...ensembleFlags,
    workers: workersFlag,
    member: optional(
      Flag.String("member"),
      "Train only this process's share of the runs, on storage shared with the others: i/n, or auto for a job array's"
    ),
    smoke: Flag.Boolean("smoke").pipe(
      Flag.withDescription(
        "Try it: two steps of each network in full size on a few images, and everything after"
      ),
      Flag.withDefault(false)
    )
  },
  Effect.fn("ensemble train")(function* ({ device, member, smoke, workers, ...input }) {
    const share = Option.isNone(member) ? undefined : yield* shareNamed(member.value)
    yield* trainAndEvaluate(yield* configOf(input), { device, share, smoke, workers })
  })
).pipe(
  Command.withDescription("Train the members that are not finished yet, each its own run, then evaluate"),
  Command.withExamples([
    {
      command: "shakedrop ensemble train five.json",
      description: "Goes on where it was, if it is called again"
    }
  ])
)
