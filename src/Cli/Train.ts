/** `shakedrop train`: from a recipe or a configuration to a trained network, its result and its report. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { datasetFlag, deviceFlag, workersFlag } from "./Shared/Flags.ts"

const optional = <A>(flag: Flag.Flag<A>, description: string) =>
  flag.pipe(Flag.withDescription(description), Flag.optional)

const flags = {
  recipe: optional(Flag.String("recipe"), "A named experiment; `shakedrop recipes` lists them"),
  config: optional(
    Flag.String("config"),
    "JSON file with an experiment, or with what differs from the recipe"
  ),
  dataset: optional(datasetFlag, "Which data set"),
  directory: optional(Flag.String("data-dir"), "Where the data set lies; shapes needs none"),
  teachers: optional(
    Flag.String("teachers"),
    "JSON file with an ensemble: its members teach the network besides the labels (distillation)"
  ),
  out: optional(
    Flag.String("out"),
    "The run's folder; runs/NAME unless given, with a number if that is taken"
  ),
  device: deviceFlag,
  seed: optional(Flag.Int("seed"), "Seed of weights, order and augmentation"),
  workers: workersFlag,
  profile: optional(
    Flag.String("profile"),
    "Tell where the time of a training step goes, and write it as a trace for Perfetto or chrome://tracing"
  ),
  resume: Flag.Boolean("resume").pipe(
    Flag.withDescription("Continue an interrupted run: the one in --out, or the newest of its name"),
    Flag.withDefault(false)
  ),
  smoke: Flag.Boolean("smoke").pipe(
    Flag.withDescription(
      "Try it: two steps of the network in full size on a few images, and every file written"
    ),
    Flag.withDefault(false)
  ),
  set: Flag.String("set").pipe(
    Flag.withDescription("Change one value of the experiment, for instance train.epochs=5; can be repeated"),
    Flag.atLeast(0)
  )
}

export type TrainInput = Command.Command.Config.Infer<typeof flags>

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
    { command: "shakedrop train", description: "The first run, a few minutes on two cores" },
    {
      command: "shakedrop train --recipe simple-cnn --data-dir data",
      description: "A plain network on CIFAR-10"
    },
    {
      command: "shakedrop train --resume --out runs/simple-cnn",
      description: "Continue an interrupted run"
    }
  ])
)
