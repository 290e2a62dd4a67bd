/** What a pipeline does to one image, as rows of labelled pictures. */

import { makeTrace } from "../Augment/Batch/Breadcrumbs.ts"
import { compile } from "../Augment/Compile.ts"
import { type Canvas, load, makeCanvas, toColour } from "../Augment/Kernel/Canvas.ts"
import { drawCutMix, drawMixup, type Mixing, mix } from "../Augment/Kernel/Mix.ts"
import { WITHOUT_MAGNITUDE } from "../Augment/Kernel/Operation.ts"
import type { ImageStep, Pipeline, Step } from "../Augment/Pipeline.ts"
import { randAugmentTable, trivialAugmentWideTable } from "../Augment/Policy/Magnitude.ts"
import { type PolicyOperation, perform, policyFor } from "../Augment/Policy/Policy.ts"
import type { LoadedDataset } from "../Data/Types.ts"
import { type Draws, draws } from "../Random.ts"

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
}

/** Pictures of each kind of mixing, of the whole pipeline, and most sub-policies of a policy. */
const MIXED = 3
const WHOLE = 7
const SUB_POLICIES = 25

/** Epochs in which a step is tried until it changes the image. */
const TRIES = 50

const rounded = (value: number): string => String(Math.round(100 * value) / 100)

const describeOperation = ({ magnitude, operation }: PolicyOperation): string =>
  WITHOUT_MAGNITUDE.has(operation) ? operation : `${operation} ${rounded(magnitude)}`

/** A step's name with its numbers and words, as `RandomCrop padding 4, reflect`. */
const describeStep = ({ _tag, ...parameters }: Step): string => {
  const shown = Object.entries(parameters).flatMap(([name, value]) =>
    typeof value === "number" ? [`${name} ${value}`] : typeof value === "string" ? [value] : []
  )
  return `${_tag} ${shown.join(", ")}`.trim()
}

const isImageStep = (step: Step): step is ImageStep =>
  step._tag !== "Mixup" && step._tag !== "CutMix" && step._tag !== "MixupCutMix"

/** The sub-policies of a step that has them, or its operations one by one at their strongest. */
const subPolicies = (step: Step, size: { readonly height: number; readonly width: number }) => {
  const alone = (magnitudes: ReturnType<typeof trivialAugmentWideTable>, level: number) =>
    [...magnitudes].map(([operation, { values }]): ReadonlyArray<PolicyOperation> => {
      const magnitude = values[Math.min(level, values.length - 1)]
      return [{ operation, probability: 1, magnitude, signed: false }]
    })
  switch (step._tag) {
    case "AutoAugment":
      return policyFor(step.policy, size).slice(0, SUB_POLICIES)
    case "RandAugment":
      return alone(randAugmentTable(size, step.bins), step.m)
    case "TrivialAugmentWide":
      return alone(trivialAugmentWideTable(step.bins), step.bins - 1)
    default:
      return []
  }
}

/**
 * Rows of pictures: the original and each step alone; each sub-policy or operation of a policy, done for certain and
 * with a positive sign; the image mixed with one of another class, with λ; and the whole pipeline in several epochs.
 */
export const preview = ({
  dataset,
  image,
  pipeline,
  seed
}: PreviewOptions): ReadonlyArray<ReadonlyArray<Picture>> => {
  const { images, indices, labels } = dataset.train
  const { height, width } = images
  const options = { seed, size: images, mean: toColour(dataset.mean), trace: makeTrace() }
  const picture = (label: string, change: (canvas: Canvas) => void, from = image): Picture => {
    const canvas = makeCanvas(height, width)
    load(canvas, images, from)
    change(canvas)
    return { pixels: canvas.pixels, height, width, label }
  }
  const original = picture("original", () => {})

  const alone = pipeline.filter(isImageStep).map((step) => {
    const { augment } = compile([step], options)
    const attempt = (epoch: number) => picture(describeStep(step), (canvas) => augment(canvas, epoch, image))
    for (let epoch = 0; epoch < TRIES; epoch++) {
      const result = attempt(epoch)
      if (Buffer.compare(result.pixels, original.pixels) !== 0) return result
    }
    return attempt(0)
  })

  const policies = pipeline.flatMap((step) => {
    const fill = "fill" in step ? step.fill : options.mean
    return subPolicies(step, images).map((operations) =>
      picture(operations.map(describeOperation).join(" · "), (canvas) => {
        for (const operation of operations) {
          perform(canvas, { ...operation, signed: false }, draws(seed, "preview"), fill, options.trace)
        }
      })
    )
  })

  const partner = indices.find((other) => labels[other] !== labels[image]) ?? image
  const pair = new Uint8Array(2 * original.pixels.length)
  pair.set(original.pixels)
  pair.set(picture("", () => {}, partner).pixels, original.pixels.length)
  const mixed = (draw: (random: Draws) => Mixing) =>
    Array.from({ length: MIXED }, (_, i): Picture => {
      const drawn = draw(draws(seed, "preview", i))
      const pixels = new Uint8Array(pair.length)
      mix(pair, pixels, images, 0, 1, drawn)
      return {
        ...original,
        pixels: pixels.subarray(0, original.pixels.length),
        label: `${drawn._tag} λ = ${rounded(drawn.lambda)}`
      }
    })
  const last = pipeline.at(-1)
  const mixup = last?._tag === "Mixup" ? last.alpha : last?._tag === "MixupCutMix" ? last.mixupAlpha : 1
  const cutMix = last?._tag === "CutMix" ? last.alpha : last?._tag === "MixupCutMix" ? last.cutMixAlpha : 1

  const { augment } = compile(pipeline, options)
  return [
    [original, ...alone],
    policies,
    [
      picture("partner", () => {}, partner),
      ...mixed((random) => drawMixup(mixup, random)),
      ...mixed((random) => drawCutMix(cutMix, random, height, width))
    ],
    Array.from({ length: WHOLE }, (_, epoch) =>
      picture(`all steps, epoch ${epoch + 1}`, (canvas) => augment(canvas, epoch, image))
    )
  ]
}
