/** `shakedrop train`: from a recipe or a configuration to a trained network, its result and its report. */
import { existsSync, readdirSync } from "node:fs"
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { datasetFlag, deviceFlag, workersFlag } from "./Shared/Flags.ts"
import { commandLine, percent } from "./Shared/Text.ts"

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

type Input = Command.Command.Config.Infer<typeof flags>

const given = (entries: Readonly<Record<string, Option.Option<unknown>>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => (Option.isSome(value) ? [[key, value.value]] : []))
  )

/** Whether anything but the folder says what is to be trained. */
const describesExperiment = ({ config, dataset, directory, recipe, seed, set, teachers }: Input): boolean =>
  set.length > 0 ||
  [recipe, config, dataset, directory, seed, teachers].some((flag) => Option.isSome<unknown>(flag))

/** Recipe, file, flags and assignments, each laid over what comes before. */
const experimentOf = Effect.fnUntraced(function* (input: Input) {
  const { merge, parseAssignment } = yield* Effect.promise(() => import("../Config.ts"))
  const { readExperiment } = yield* Effect.promise(() => import("../Experiment.ts"))
  const { readJson } = yield* Effect.promise(() => import("../Platform/Files.ts"))
  const { findRecipe } = yield* Effect.promise(() => import("../Recipe.ts"))
  // A file may be a whole experiment; without one, the data set chooses what is trained on it.
  const fallback = Option.isSome(input.config)
    ? undefined
    : Option.getOrElse(input.dataset, () => "shapes") === "shapes"
      ? "quickstart"
      : "simple-cnn"
  const name = Option.getOrElse(input.recipe, () => fallback)
  let experiment: unknown = name === undefined ? {} : (yield* findRecipe(name)).experiment
  if (Option.isSome(input.config)) experiment = merge(experiment, yield* readJson(input.config.value))
  experiment = merge(experiment, {
    ...given({ seed: input.seed }),
    data: given({ dataset: input.dataset, directory: Option.map(input.directory, (d) => path.resolve(d)) })
  })
  if (Option.isSome(input.teachers)) {
    const { decodeEnsemble, teachersOf } = yield* Effect.promise(() => import("../Ensemble.ts"))
    const teachers = yield* teachersOf(yield* decodeEnsemble(yield* readJson(input.teachers.value)))
    experiment = merge(experiment, { train: { distillation: { teachers } } })
  }
  for (const assignment of input.set) experiment = merge(experiment, yield* parseAssignment(assignment))
  const decoded = yield* readExperiment(experiment)
  const { smokeExperiment } = yield* Effect.promise(() => import("../Train/Probe/DryRun.ts"))
  return input.smoke ? smokeExperiment(decoded) : decoded
})

/** The newest folder of runs of a name: runs/NAME, or that with the highest number. */
const newestOf = (name: string): string | undefined => {
  if (!existsSync("runs")) return undefined
  const numbers = readdirSync("runs").flatMap((entry) => {
    if (entry === name) return [1]
    const number = Number(entry.startsWith(`${name}-`) ? entry.slice(name.length + 1) : Number.NaN)
    return Number.isInteger(number) ? [number] : []
  })
  if (numbers.length === 0) return undefined
  const newest = Math.max(...numbers)
  return path.join("runs", newest === 1 ? name : `${name}-${newest}`)
}

/** A folder of runs that does not exist yet. */
const freshFor = (name: string): string => {
  let directory = path.join("runs", name)
  for (let number = 2; existsSync(directory); number++) directory = path.join("runs", `${name}-${number}`)
  return directory
}

/** Which experiment is trained in which folder. */
const planOf = Effect.fnUntraced(function* (input: Input) {
  const { readRun, RunError } = yield* Effect.promise(() => import("../Train.ts"))
  const out = Option.getOrUndefined(input.out)
  if (!input.resume) {
    const experiment = yield* experimentOf(input)
    if (out !== undefined && existsSync(path.join(out, "config.json"))) {
      return yield* new RunError({
        message: `there is already a run in ${out}: continue it with --resume, or choose another --out`
      })
    }
    return { experiment, directory: out ?? freshFor(experiment.name) }
  }
  if (out !== undefined && !describesExperiment(input)) {
    const { experiment } = yield* readRun(out)
    return { experiment, directory: out }
  }
  const experiment = yield* experimentOf(input)
  const directory = out ?? newestOf(experiment.name)
  if (directory === undefined) {
    return yield* new RunError({ message: `there is no run of ${experiment.name} in runs/ to continue` })
  }
  return { experiment, directory }
})

/** Trains and evaluates the ensemble that --recipe names; gives whether it names one. */
const trainedEnsemble = Effect.fnUntraced(function* (input: Input) {
  const { ensembleRecipes } = yield* Effect.promise(() => import("../Recipe.ts"))
  if (Option.isNone(input.recipe) || !Object.hasOwn(ensembleRecipes, input.recipe.value)) return false
  const { RunError } = yield* Effect.promise(() => import("../Train.ts"))
  const { config, out, profile, seed, teachers } = input
  const foreign = [
    ...Object.entries({ config, out, profile, seed, teachers }).flatMap(([name, flag]) =>
      Option.isSome<unknown>(flag) ? [name] : []
    ),
    ...(input.resume ? ["resume"] : []),
    ...(input.set.length > 0 ? ["set"] : [])
  ]
  if (foreign.length > 0) {
    return yield* new RunError({
      message: `${input.recipe.value} is an ensemble, which takes no --${foreign[0]}: it goes on where it was by itself, and what its members are is told in a file for shakedrop ensemble train`
    })
  }
  const { configOf } = yield* Effect.promise(() => import("./Ensemble/Input.ts"))
  const { trainAndEvaluate } = yield* Effect.promise(() => import("./Ensemble/Train.ts"))
  yield* trainAndEvaluate(yield* configOf({ ...input, file: Option.none() }), input)
  return true
})

export const trainCommand = Command.make(
  "train",
  flags,
  Effect.fn("train command")(function* (input) {
    if (yield* trainedEnsemble(input)) return
    const { experiment, directory } = yield* planOf(input)
    const { findInitialWeights } = yield* Effect.promise(() => import("../Train/Run/InitialWeights.ts"))
    if (!input.resume) yield* findInitialWeights(experiment)
    const { Checkpoints } = yield* Effect.promise(() => import("../Checkpoint.ts"))
    const { Dataset } = yield* Effect.promise(() => import("../Data.ts"))
    const { Device } = yield* Effect.promise(() => import("../Device.ts"))
    const { train } = yield* Effect.promise(() => import("../Train.ts"))
    const { makeProgress } = yield* Effect.promise(() => import("../Train/Progress.ts"))
    const { writeReport } = yield* Effect.promise(() => import("../Report.ts"))
    const command = commandLine()

    const program = Effect.gen(function* () {
      const progress = yield* makeProgress()
      const { name } = yield* Device
      const dataset = yield* Dataset
      progress.message(`${experiment.name}: ${dataset.name} on ${name}, into ${directory}`)
      if (input.smoke) progress.message("a trial: two steps, from random weights")
      const { logits, result } = yield* train(experiment, {
        directory,
        resume: input.resume,
        command,
        workers: input.workers,
        profile: Option.getOrUndefined(input.profile),
        progress
      }).pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() =>
            progress.message(
              `interrupted and saved; continue with: npx shakedrop train --resume --out ${directory}`
            )
          )
        )
      )
      const report = yield* writeReport(directory, result, logits)
      return { report, result }
    })
    const { smokeDataset } = yield* Effect.promise(() => import("../Train/Probe/DryRun.ts"))
    const whole = Dataset.layer(experiment.data)
    const few = Layer.effect(
      Dataset,
      Effect.map(Dataset, (dataset) => smokeDataset(dataset, experiment))
    )
    const layers = Layer.mergeAll(
      Device.layer(input.device),
      input.smoke ? Layer.provide(few, whole) : whole,
      Checkpoints.layer(path.join(directory, "checkpoints"))
    )
    const { report, result } = yield* program.pipe(Effect.scoped, Effect.provide(layers))
    const [low, high] = result.interval
    yield* Console.log(
      `${result.dataset}, ${result.images} test images: ${percent(result.accuracy)} (95 % interval ${percent(low)} to ${percent(high)}), ${result.selection}`
    )
    if (result.overViews) {
      const { accuracy, interval, views } = result.overViews
      yield* Console.log(
        `with the mean over ${views} views of each image: ${percent(accuracy)} (95 % interval ${interval.map(percent).join(" to ")})`
      )
    }
    if (input.smoke) {
      const { readMetrics } = yield* Effect.promise(() => import("../Train/Run/Metrics.ts"))
      const { batchSize } = experiment.train
      const [{ imagesPerSecond }] = yield* readMetrics(directory)
      const peak = process.resourceUsage().maxRSS / 2 ** 20
      yield* Console.log(
        `${result.parameters.toLocaleString("en-GB")} parameters, ${(batchSize / imagesPerSecond).toPrecision(2)} s a step of ${batchSize} images, peak memory ${peak.toFixed(1)} GiB`
      )
    }
    yield* Console.log(`report  ${path.resolve(report)}`)
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
