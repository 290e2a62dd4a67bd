/** The flags of `shakedrop train`. */
import type * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { dataDirFlag, datasetFlag, deviceFlag, optional, workersFlag } from "../Shared/Flags.ts"
import { writtenTo } from "../Shared/Paths.ts"
import { replicaFlags } from "./ReplicaFlags.ts"
import { seedsFlag } from "./SeedsFlag.ts"

export const flags = {
  recipe: optional(
    Flag.String("recipe"),
    "A named experiment; `shakedrop recipes` lists them (default: quickstart, or simple-cnn on photographs)"
  ),
  config: optional(
    Flag.String("config"),
    "JSON file with an experiment, or with what differs from the recipe"
  ),
  dataset: optional(datasetFlag, "Which data set"),
  directory: dataDirFlag("Where the data set lies; shapes needs none"),
  teachers: optional(
    Flag.String("teachers"),
    "JSON file with an ensemble: its members teach the network besides the labels (distillation)"
  ),
  out: optional(
    writtenTo("out", "folder"),
    "The run's folder; runs/NAME unless given, with a number if that is taken"
  ),
  device: deviceFlag,
  seed: optional(Flag.Int("seed"), "Seed of weights, order and augmentation"),
  seeds: seedsFlag,
  workers: workersFlag,
  profile: optional(
    writtenTo("profile", "file"),
    "Tell where the time of a training step goes, and write it as a trace for Perfetto or chrome://tracing"
  ),
  ui: Flag.Boolean("ui").pipe(
    Flag.withDescription(
      "Show this run and its neighbours on a page while it is trained, as `shakedrop ui` does"
    ),
    Flag.withDefault(false)
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
  ),
  ...replicaFlags
}

export type TrainInput = Command.Command.Config.Infer<typeof flags>
