/** `shakedrop evaluate`: the numbers of a finished or unfinished run on one of its splits. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { percent } from "../Platform/Text.ts"
import { checkpointFlag, tellSkipped } from "./Shared/Checkpoints.ts"
import { dataDirFlag, deviceFlag, optional, splitFlag } from "./Shared/Flags.ts"

export const evaluateCommand = Command.make(
  "evaluate",
  {
    run: Argument.String("run").pipe(Argument.withDescription("The run's folder")),
    split: splitFlag,
    weights: optional(
      Flag.String("weights"),
      "raw, or an average of the run by its key in train, such as ema; those that it chose its best by unless given"
    ),
    checkpoint: checkpointFlag,
    directory: dataDirFlag("Where the data set lies now, if it was moved; the images have to be the same"),
    device: deviceFlag
  },
  Effect.fn("evaluate command")(function* ({ checkpoint, device, directory, run, split, weights }) {
    const { chooseWeights, evaluate, openRun } = yield* Effect.promise(() => import("../Train.ts"))
    const { Dataset } = yield* Effect.promise(() => import("../Data.ts"))
    const { Device } = yield* Effect.promise(() => import("../Device.ts"))
    const { wilsonInterval } = yield* Effect.promise(() => import("../Train/Run/Interval.ts"))
    const { experiment } = yield* openRun(run).config
    const { name: chosen } = yield* chooseWeights(run, experiment, Option.getOrUndefined(weights))
    const data = Option.isSome(directory)
      ? { ...experiment.data, directory: path.resolve(directory.value) }
      : experiment.data
    const { checkDataThere } = yield* Effect.promise(() => import("../Train/Run/RunConfig.ts"))
    yield* checkDataThere(run, { ...experiment, data })
    const choice = { weights: chosen, checkpoint: Option.getOrUndefined(checkpoint) }
    const measures = yield* evaluate(run, split, choice).pipe(
      Effect.provide([Device.layer(device), Dataset.layer(data)])
    )
    yield* tellSkipped(measures.skipped)
    const [low, high] = wilsonInterval(measures.correct, measures.images)
    // Of five classes or fewer it says nothing.
    const topFive = measures.confusion.length > 5 ? `, top-5 ${percent(measures.top5)}` : ""
    yield* Console.log(
      `${measures.name}, ${measures.images} ${split} images, ${chosen} weights of step ${measures.step}: accuracy ${percent(measures.accuracy)} (95 % interval ${percent(low)} to ${percent(high)})${topFive}, loss ${measures.loss.toFixed(4)}`
    )
  })
).pipe(
  Command.withDescription("Measure a run's network on one of its splits"),
  Command.withExamples([
    {
      command: "shakedrop evaluate runs/quickstart --split validation",
      description: "On the images that were held out"
    }
  ])
)
