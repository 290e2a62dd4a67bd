/** `shakedrop evaluate`: the numbers of a finished or unfinished run on one of its splits. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { deviceFlag, splitFlag } from "./Shared/Flags.ts"
import { percent } from "./Shared/Text.ts"

export const evaluateCommand = Command.make(
  "evaluate",
  {
    run: Argument.String("run").pipe(Argument.withDescription("The run's folder")),
    split: splitFlag,
    weights: Flag.Literals("weights", ["raw", "ema", "swa"]).pipe(
      Flag.withDescription("Raw or averaged weights; those that the run chose its best by"),
      Flag.optional
    ),
    device: deviceFlag
  },
  Effect.fn("evaluate command")(function* ({ device, run, split, weights }) {
    const { evaluate, judged, readRun } = yield* Effect.promise(() => import("../Train.ts"))
    const { Checkpoints } = yield* Effect.promise(() => import("../Checkpoint.ts"))
    const { Dataset } = yield* Effect.promise(() => import("../Data.ts"))
    const { Device } = yield* Effect.promise(() => import("../Device.ts"))
    const { wilsonInterval } = yield* Effect.promise(() => import("../Train/Run/Result.ts"))
    const { experiment } = yield* readRun(run)
    const chosen = Option.getOrElse(weights, () => judged(experiment.train))
    const layers = Layer.mergeAll(
      Device.layer(device),
      Dataset.layer(experiment.data),
      Checkpoints.layer(path.join(run, "checkpoints"))
    )
    const measures = yield* evaluate(run, split, chosen).pipe(Effect.provide(layers))
    const [low, high] = wilsonInterval(measures.correct, measures.images)
    yield* Console.log(
      `${measures.name}, ${measures.images} ${split} images, ${chosen} weights of step ${measures.step}: accuracy ${percent(measures.accuracy)} (95 % interval ${percent(low)} to ${percent(high)}), top-5 ${percent(measures.top5)}, loss ${measures.loss.toFixed(4)}`
    )
  })
).pipe(Command.withDescription("Measure a run's network on one of its splits"))
