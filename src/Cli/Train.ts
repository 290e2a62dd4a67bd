/** `shakedrop train`: from a recipe or a configuration to a trained network, its result and its report. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { flags } from "./Train/Flags.ts"

export const trainCommand = Command.make(
  "train",
  flags,
  Effect.fn("train command")(function* (input) {
    const { runTraining } = yield* Effect.promise(() => import("./Train/RunTraining.ts"))
    yield* runTraining(input)
  })
).pipe(
  Command.withDescription(
    "Train a network; without flags, a small one on the data set that is drawn in code"
  ),
  Command.withExamples([
    { command: "shakedrop train", description: "The first run, about a minute on two cores" },
    {
      command: "shakedrop train --recipe simple-cnn --data-dir data",
      description: "A plain network on CIFAR-10"
    },
    {
      command: "shakedrop train --resume --out runs/simple-cnn",
      description: "Continue an interrupted run"
    },
    {
      command: "shakedrop train --seeds 1-5",
      description: "Five runs with other seeds, and the mean of their accuracies"
    }
  ])
)
