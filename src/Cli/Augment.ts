/** `shakedrop augment`: look at what a pipeline does. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { loadAsked } from "./Shared/Dataset.ts"
import { dataDirFlag, datasetFlag, withShownDefault } from "./Shared/Flags.ts"
import { writtenTo } from "./Shared/Paths.ts"

/** Pictures in a row, and how wide each is about, in screen pixels. */
const COLUMNS = 7
const WIDTH = 192

/** What is shown unless a recipe or a file says otherwise. */
const SERIES = [
  { _tag: "RandomCrop", padding: 4, mode: "reflect" },
  { _tag: "RandomHorizontalFlip" },
  { _tag: "AutoAugment", policy: "cifar10" },
  { _tag: "Cutout", length: 16 },
  { _tag: "MixupCutMix" }
]

const flags = {
  recipe: Flag.String("recipe").pipe(
    Flag.withDescription("The pipeline of a named experiment"),
    Flag.optional
  ),
  pipeline: Flag.String("pipeline").pipe(
    Flag.withDescription('JSON file with a list of steps, as "augment" in an experiment'),
    Flag.optional
  ),
  dataset: datasetFlag.pipe(withShownDefault("Where the image is from", "shapes")),
  directory: dataDirFlag("Where the data set lies; shapes needs none"),
  image: Flag.Int("image").pipe(withShownDefault("Which training image, counted from 0", 0)),
  seed: Flag.Int("seed").pipe(withShownDefault("Seed of every draw", 1)),
  out: writtenTo("out", "file").pipe(withShownDefault("The PNG", "runs/augment.png"))
}

type Input = Command.Command.Config.Infer<typeof flags>

/** The pipeline that the flags name, decoded. */
const pipelineOf = Effect.fnUntraced(function* ({ pipeline, recipe }: Input) {
  const { AugmentError, readPolicies } = yield* Effect.promise(() => import("../Augment.ts"))
  const { decodeStrictly } = yield* Effect.promise(() => import("../Config/Decode.ts"))
  const { readJson } = yield* Effect.promise(() => import("../Platform/Files.ts"))
  const { pipelineOf } = yield* Effect.promise(() => import("../Augment/Pipeline.ts"))
  const { Registry } = yield* Effect.promise(() => import("../Registry.ts"))
  const { findRecipe } = yield* Effect.promise(() => import("../Recipe.ts"))
  let source = "the pipeline"
  let steps: unknown = SERIES
  if (Option.isSome(pipeline)) {
    source = pipeline.value
    steps = yield* readJson(source)
  } else if (Option.isSome(recipe)) {
    steps = (yield* findRecipe(recipe.value)).experiment.augment
  }
  const named = ({ message }: { readonly message: string }) =>
    new AugmentError({ reason: "Pipeline", message: `${source}: ${message}` })
  const read = yield* Effect.mapError(readPolicies(steps), named)
  const Pipeline = pipelineOf((yield* Registry).steps)
  return yield* Effect.mapError(decodeStrictly(Pipeline, read), named)
})

const previewCommand = Command.make(
  "preview",
  flags,
  Effect.fn("augment preview")(function* (input) {
    const pipeline = yield* pipelineOf(input)
    const { AugmentError } = yield* Effect.promise(() => import("../Augment.ts"))
    const { preview } = yield* Effect.promise(() => import("../Report/Sheet/AugmentPreview.ts"))
    const { contactSheet } = yield* Effect.promise(() => import("../Report/Sheet/ContactSheet.ts"))
    const { writeFileAtomic } = yield* Effect.promise(() => import("../Platform/Files.ts"))
    const { dataset: name, directory, image, out, seed } = input
    const dataset = yield* loadAsked({
      dataset: name,
      ...(Option.isSome(directory) ? { directory: directory.value } : {})
    })
    const { images } = dataset.train
    if (image < 0 || image >= images.count) {
      return yield* new AugmentError({
        reason: "NoImage",
        message: `there is no training image ${image}: ${dataset.name} has 0 to ${images.count - 1}`
      })
    }
    const blank = {
      pixels: new Uint8Array(images.height * images.width * 3).fill(255),
      height: images.height,
      width: images.width
    }
    const { Registry } = yield* Effect.promise(() => import("../Registry.ts"))
    const { steps } = yield* Registry
    const pictures = preview({ dataset, pipeline, image, seed, steps }).flatMap((row) => [
      ...row,
      ...new Array<typeof blank>((COLUMNS - (row.length % COLUMNS)) % COLUMNS).fill(blank)
    ])
    const scale = Math.max(1, Math.round(WIDTH / images.width))
    yield* writeFileAtomic(out, yield* contactSheet(pictures, { columns: COLUMNS, scale }))
    yield* Console.log(`contact sheet  ${path.resolve(out)}`)
  })
).pipe(
  Command.withDescription(
    "Write a contact sheet: an image, each step and sub-policy of a pipeline on it, and mixed images"
  ),
  Command.withExamples([
    {
      command: "shakedrop augment preview --recipe part2-augmentation",
      description: "The pipeline of a recipe on an image that is drawn in code"
    }
  ])
)

export const augmentCommand = Command.make("augment").pipe(
  Command.withDescription("Look at what augmentation does"),
  Command.withExamples([
    { command: "shakedrop augment preview", description: "The steps that are used most" }
  ]),
  Command.withSubcommands([previewCommand])
)
