/** `shakedrop ensemble evaluate`: the numbers of an ensemble, and its report. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { VIEW_NAMES } from "../../Config/Views.ts"
import type { SplitName } from "../../Data.ts"
import type { DeviceName } from "../../Device/Session/ConfigProto.ts"
import type { EnsembleConfig } from "../../Ensemble.ts"
import { percent } from "../../Platform/Text.ts"
import { commandLine } from "../Shared/CommandLine.ts"
import { splitFlag } from "../Shared/Flags.ts"
import { writtenTo } from "../Shared/Paths.ts"
import { checkMembers, configOf, ensembleFlags, openPrepared } from "./Input.ts"

const points = (share: number): string => `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(2)}`

/** Evaluates an ensemble, writes its report into a folder and says what came out. */
export const evaluateAndReport = Effect.fnUntraced(function* (
  config: EnsembleConfig,
  options: { readonly split: SplitName; readonly device: typeof DeviceName.Type; readonly out: string }
) {
  const { Dataset } = yield* Effect.promise(() => import("../../Data.ts"))
  const { evaluateEnsemble } = yield* Effect.promise(() => import("../../Ensemble.ts"))
  const { writeEnsembleReport } = yield* Effect.promise(() => import("../../Report/Ensemble.ts"))
  const { device, out, split } = options
  const dataset = yield* Dataset
  const ensemble = yield* openPrepared(config, split, device)
  const command = commandLine()
  const { report } = yield* evaluateEnsemble(ensemble, { split, command })
  // Before what is printed: who does not read it to its end stops the command.
  const file = yield* writeEnsembleReport(out, report, dataset[split])
  const width = Math.max(...report.members.map(({ name }) => name.length))
  for (const { accuracy, name, weight } of report.members) {
    yield* Console.log(`${name.padEnd(width)}  ${percent(accuracy).padStart(8)}  weight ${weight.toFixed(3)}`)
  }
  const { gain, whole } = report
  yield* Console.log(
    `${report.dataset}, ${report.images} ${split} images: ${percent(whole.accuracy)} (95 % interval ${percent(whole.interval[0])} to ${percent(whole.interval[1])}), ${points(gain.difference)} points beside the best member (${points(gain.interval[0])} to ${points(gain.interval[1])}, McNemar p ${gain.p.toPrecision(2)})`
  )
  yield* Console.log(`report  ${path.resolve(file)}`)
})

export const evaluateEnsembleCommand = Command.make(
  "evaluate",
  {
    ...ensembleFlags,
    split: splitFlag,
    tta: Flag.Literals("tta", VIEW_NAMES).pipe(
      Flag.withDescription("How each image is shown, in place of the ensemble's own views"),
      Flag.optional
    ),
    out: writtenTo("out", "folder").pipe(
      Flag.withDescription("Folder of the report; runs/NAME unless given"),
      Flag.optional
    )
  },
  Effect.fn("ensemble evaluate")(function* ({ device, out, split, tta, ...input }) {
    const { Dataset } = yield* Effect.promise(() => import("../../Data.ts"))
    const config = yield* configOf(input, Option.isSome(tta) ? { tta: tta.value } : {})
    yield* checkMembers(config)
    yield* evaluateAndReport(config, {
      ...{ device, split },
      out: Option.getOrElse(out, () => path.join("runs", config.name))
    }).pipe(Effect.provide(Dataset.layer(config.data)))
  })
).pipe(
  Command.withDescription("Measure an ensemble and its members on one of the splits"),
  Command.withExamples([
    {
      command: "shakedrop ensemble evaluate five.json --tta flip",
      description: "Each image is shown as it is and mirrored"
    }
  ])
)
