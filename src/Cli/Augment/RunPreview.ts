/** `shakedrop augment preview`: from its flags to a contact sheet. */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { pipelineOf as pipelineSchema } from "../../Augment/Pipeline.ts"
import { AugmentError, readPolicies } from "../../Augment.ts"
import { decodeStrictly } from "../../Config/Decode.ts"
import { readJson, writeFileAtomic } from "../../Platform/Files.ts"
import { findRecipe } from "../../Recipe.ts"
import { Registry } from "../../Registry.ts"
import { preview } from "../../Report/Sheet/AugmentPreview.ts"
import { contactSheet } from "../../Report/Sheet/ContactSheet.ts"
import { loadAsked } from "../Shared/Dataset.ts"
import type { PreviewInput } from "./Flags.ts"

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

/** The pipeline that the flags name, decoded. */
const pipelineOf = Effect.fnUntraced(function* ({ pipeline, recipe }: PreviewInput) {
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
  const Pipeline = pipelineSchema((yield* Registry).steps)
  return yield* Effect.mapError(decodeStrictly(Pipeline, read), named)
})

/** Draws what a pipeline does to an image. */
export const runPreview = Effect.fnUntraced(function* (input: PreviewInput) {
  const pipeline = yield* pipelineOf(input)
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
  const { steps } = yield* Registry
  const pictures = preview({ dataset, pipeline, image, seed, steps }).flatMap((row) => [
    ...row,
    ...new Array<typeof blank>((COLUMNS - (row.length % COLUMNS)) % COLUMNS).fill(blank)
  ])
  const scale = Math.max(1, Math.round(WIDTH / images.width))
  yield* writeFileAtomic(out, yield* contactSheet(pictures, { columns: COLUMNS, scale }))
  yield* Console.log(`contact sheet  ${path.resolve(out)}`)
})
