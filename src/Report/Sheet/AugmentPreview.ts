/** What a pipeline does to one image, as rows of labelled pictures. */
import { makeTrace } from "../../Augment/Batch/Breadcrumbs.ts"
import { compile } from "../../Augment/Compile.ts"
import { type Canvas, load, makeCanvas, toColour } from "../../Augment/Kernel/Canvas.ts"
import type { BatchMixing } from "../../Augment/Kernel/Mix.ts"
import type { Pipeline, StepConfig } from "../../Augment/Pipeline.ts"
import type { DrawMixing, Step } from "../../Augment/Step/Step.ts"
import { steps as builtIn } from "../../Augment/Steps.ts"
import { definitionOf } from "../../Config/Registered.ts"
import type { LoadedDataset } from "../../Data/Types.ts"
import { draws } from "../../Random.ts"

export interface Picture {
  /** uint8 RGB, row by row. */
  readonly pixels: Uint8Array
  readonly height: number
  readonly width: number
  readonly label: string
}

export interface PreviewOptions {
  readonly dataset: Pick<LoadedDataset, "train" | "mean">
  readonly pipeline: Pipeline
  /** An image of the data set by its number. */
  readonly image: number
  readonly seed: number
  /** The steps that there are; this library's unless given. */
  readonly steps?: ReadonlyArray<Step> | undefined
}

/** Pictures of each kind of mixing, and of the whole pipeline. */
const MIXED = 3
const WHOLE = 7

/** Epochs in which a step is tried until it changes the image. */
const TRIES = 50

/** A step's name with its numbers and words, as `RandomCrop padding 4, reflect`. */
const labelOf = ({ _tag, ...parameters }: StepConfig): string => {
  const shown = Object.entries<unknown>(parameters).flatMap(([name, value]) =>
    typeof value === "number" ? [`${name} ${value}`] : typeof value === "string" ? [value] : []
  )
  return `${_tag} ${shown.join(", ")}`.trim()
}

/**
 * Rows of pictures: the original and each step alone; each thing that a step says of itself that it may do, such as
 * the sub-policies of a policy; where the pipeline mixes batches, the image mixed with one of another class, with λ;
 * and the whole pipeline in several epochs.
 */
export const preview = ({
  dataset,
  image,
  pipeline,
  seed,
  steps = builtIn
}: PreviewOptions): ReadonlyArray<ReadonlyArray<Picture>> => {
  const { images, indices, labels } = dataset.train
  const { height, width } = images
  const options = { seed, size: images, mean: toColour(dataset.mean), trace: makeTrace(), steps }
  const picture = (label: string, change: (canvas: Canvas) => void, from = image): Picture => {
    const canvas = makeCanvas(height, width)
    load(canvas, images, from)
    change(canvas)
    return { pixels: canvas.pixels, height, width, label }
  }
  const original = picture("original", () => {})

  const alone = (config: StepConfig): Picture => {
    const { augment } = compile([config], options)
    const attempt = (epoch: number) => picture(labelOf(config), (canvas) => augment(canvas, epoch, image))
    for (let epoch = 0; epoch < TRIES; epoch++) {
      const result = attempt(epoch)
      if (Buffer.compare(result.pixels, original.pixels) !== 0) return result
    }
    return attempt(0)
  }

  const partner = indices.find((other) => labels[other] !== labels[image]) ?? image
  const pair = new Uint8Array(2 * original.pixels.length)
  pair.set(original.pixels)
  pair.set(picture("", () => {}, partner).pixels, original.pixels.length)
  const mixed = ({ lambda, mix, name }: BatchMixing): Picture => {
    const pixels = new Uint8Array(pair.length)
    mix(pair, pixels, 0, 1)
    const label = `${name} λ = ${Math.round(100 * lambda) / 100}`
    return { ...original, pixels: pixels.subarray(0, original.pixels.length), label }
  }
  const mixtures = (draw: DrawMixing): ReadonlyArray<Picture> =>
    Array.from({ length: MIXED }, (_, i) => draw(draws(seed, "preview", i))).flatMap((drawn) =>
      drawn === undefined ? [] : [mixed(drawn)]
    )

  const first: Array<Picture> = [original]
  const examples: Array<Picture> = []
  const mixtureRow: Array<Picture> = []
  for (const config of pipeline) {
    const step = definitionOf<Step>(steps, config)
    if (step.on === "image") {
      first.push(alone(config))
      for (const { change, label } of step.describe?.(config, options) ?? []) {
        examples.push(picture(label, (canvas) => change(canvas, draws(seed, "preview"))))
      }
    } else {
      const ways = step.describe?.(config, options) ?? [step.compile(config, options)]
      mixtureRow.push(
        picture("partner", () => {}, partner),
        ...ways.flatMap(mixtures)
      )
    }
  }
  const { augment } = compile(pipeline, options)
  return [
    first,
    examples,
    mixtureRow,
    Array.from({ length: WHOLE }, (_, epoch) =>
      picture(`all steps, epoch ${epoch + 1}`, (canvas) => augment(canvas, epoch, image))
    )
  ]
}
