/** From a pipeline as data to a function on images. */
import { type KeyedDraws, keyedDraws } from "../Random.ts"
import type { Canvas } from "./Canvas.ts"
import { crop, flipHorizontally } from "./Crop.ts"
import { type Colour, fillBox } from "./Erase.ts"
import type { Pipeline, Step } from "./Pipeline.ts"

type Apply = (canvas: Canvas, random: KeyedDraws) => void

export interface CompileOptions {
  readonly seed: number
  /** What hidden pixels get. */
  readonly mean: Colour
}

const compileStep = (step: Step, { mean }: CompileOptions): Apply => {
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
    case "Cutout": {
      const { holes, length } = step
      const half = Math.floor(length / 2)
      return (canvas, random) => {
        for (let hole = 0; hole < holes; hole++) {
          const y = random.int(canvas.height)
          const x = random.int(canvas.width)
          fillBox(canvas, y - half, x - half, y + half, x + half, mean)
        }
      }
    }
  }
}

/** Augments the image on a canvas; every draw belongs to (seed, epoch, image, step). */
export type Augment = (canvas: Canvas, epoch: number, image: number) => void

export const compile = (pipeline: Pipeline, options: CompileOptions): Augment => {
  const steps = pipeline.map((step) => compileStep(step, options))
  const random = keyedDraws(options.seed, "augment")
  return (canvas, epoch, image) => {
    for (let i = 0; i < steps.length; i++) {
      random.at(epoch, image, i)
      steps[i](canvas, random)
    }
  }
}
