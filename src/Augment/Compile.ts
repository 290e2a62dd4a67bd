/** From a pipeline as data to functions on images. */
import { type Draws, keyedDraws } from "../Random.ts"
import { noteImage, noteStep, type Trace } from "./Batch/Breadcrumbs.ts"
import type { Canvas, Colour } from "./Kernel/Canvas.ts"
import { crop, flipHorizontally } from "./Kernel/Crop.ts"
import { cutout, erase } from "./Kernel/Erase.ts"
import { drawCutMix, drawMixup, type Mixing } from "./Kernel/Mix.ts"
import type { BatchStep, ImageStep, Pipeline, Step } from "./Pipeline.ts"
import { type ImageSize, randAugmentTable, trivialAugmentWideTable } from "./Policy/Magnitude.ts"
import { perform, policyFor } from "./Policy/Policy.ts"

export interface CompileOptions {
  /** An integer in [0, 2^32). */
  readonly seed: number
  readonly size: ImageSize
  /** What hidden pixels get. */
  readonly mean: Colour
  readonly trace: Trace
}

export interface Compiled {
  /** Augments the image on a canvas; every draw belongs to (seed, epoch, image, step). */
  readonly augment: (canvas: Canvas, epoch: number, image: number) => void
  /** Draws how a batch is mixed, for (seed, epoch, batch); undefined where it is not. */
  readonly mixing: ((epoch: number, batch: number) => Mixing | undefined) | undefined
}

type Apply = (canvas: Canvas, random: Draws, epoch: number, image: number) => void

const isBatchStep = (step: Step): step is BatchStep =>
  step._tag === "Mixup" || step._tag === "CutMix" || step._tag === "MixupCutMix"

const imageStep = (step: ImageStep, { mean, seed, size, trace }: CompileOptions): Apply => {
  switch (step._tag) {
    case "RandomCrop": {
      const { mode, padding } = step
      return (canvas, random) => {
        const top = random.int(2 * padding + 1) - padding
        const left = random.int(2 * padding + 1) - padding
        crop(canvas, top, left, mode)
      }
    }
    case "RandomHorizontalFlip": {
      const { p } = step
      return (canvas, random) => {
        if (random.uniform() < p) flipHorizontally(canvas)
      }
    }
    case "AlternatingFlip": {
      const first = keyedDraws(seed, "alternating flip")
      return (canvas, _, epoch, image) => {
        first.at(image)
        if ((first.int(2) + epoch) % 2 === 1) flipHorizontally(canvas)
      }
    }
    case "Cutout": {
      const { holes, length } = step
      return (canvas, random) => {
        for (let hole = 0; hole < holes; hole++) cutout(canvas, length, random, mean)
      }
    }
    case "RandomErasing": {
      const { p, value } = step
      const colour = value === "mean" ? mean : undefined
      return (canvas, random) => {
        if (random.uniform() < p) erase(canvas, step, random, colour)
      }
    }
    case "AutoAugment": {
      const { fill } = step
      const policy = policyFor(step.policy, size)
      return (canvas, random) => {
        for (const operation of policy[random.int(policy.length)]) {
          if (random.uniform() < operation.probability) perform(canvas, operation, random, fill, trace)
        }
      }
    }
    case "RandAugment": {
      const { bins, fill, m, n } = step
      const operations = [...randAugmentTable(size, bins)].map(([operation, { signed, values }]) => ({
        operation,
        magnitude: values.length === 1 ? 0 : values[m],
        signed
      }))
      return (canvas, random) => {
        for (let i = 0; i < n; i++) {
          perform(canvas, operations[random.int(operations.length)], random, fill, trace)
        }
      }
    }
    case "TrivialAugmentWide": {
      const { bins, fill } = step
      const operations = [...trivialAugmentWideTable(bins)].map(([operation, { signed, values }]) =>
        values.map((magnitude) => ({ operation, magnitude, signed }))
      )
      return (canvas, random) => {
        const levels = operations[random.int(operations.length)]
        perform(canvas, levels[random.int(levels.length)], random, fill, trace)
      }
    }
  }
}

const batchStep = (step: BatchStep, { height, width }: ImageSize): ((random: Draws) => Mixing) => {
  switch (step._tag) {
    case "Mixup":
      return (random) => drawMixup(step.alpha, random)
    case "CutMix":
      return (random) => drawCutMix(step.alpha, random, height, width)
    case "MixupCutMix":
      return (random) =>
        random.uniform() < step.switchProb
          ? drawCutMix(step.cutMixAlpha, random, height, width)
          : drawMixup(step.mixupAlpha, random)
  }
}

export const compile = (pipeline: Pipeline, options: CompileOptions): Compiled => {
  const { seed, size, trace } = options
  const steps = pipeline.flatMap((step) => (isBatchStep(step) ? [] : [imageStep(step, options)]))
  const random = keyedDraws(seed, "augment")
  const augment: Compiled["augment"] = (canvas, epoch, image) => {
    noteImage(trace, image)
    for (let i = 0; i < steps.length; i++) {
      noteStep(trace, i)
      random.at(epoch, image, i)
      steps[i](canvas, random, epoch, image)
    }
  }
  const last = pipeline.at(-1)
  if (last === undefined || !isBatchStep(last)) return { augment, mixing: undefined }
  const draw = batchStep(last, size)
  const ofBatch = keyedDraws(seed, "mix")
  const mixing = (epoch: number, batch: number): Mixing | undefined => {
    ofBatch.at(epoch, batch)
    return ofBatch.uniform() < last.p ? draw(ofBatch) : undefined
  }
  return { augment, mixing }
}
