/** From a pipeline as data to functions on images. */
import { definitionOf } from "../Config/Registered.ts"
import { keyedDraws } from "../Random.ts"
import { noteImage, noteStep } from "./Batch/Breadcrumbs.ts"
import type { Canvas } from "./Kernel/Canvas.ts"
import type { BatchMixing } from "./Kernel/Mix.ts"
import type { Pipeline } from "./Pipeline.ts"
import type { Step, StepContext } from "./Step/Step.ts"
import { steps as builtIn } from "./Steps.ts"

export interface CompileOptions extends StepContext {
  /** The steps that there are; this library's unless given. */
  readonly steps?: ReadonlyArray<Step> | undefined
}

export interface Compiled {
  /** Augments the image on a canvas; every draw belongs to (seed, epoch, image, step). */
  readonly augment: (canvas: Canvas, epoch: number, image: number) => void
  /** Draws how a batch is mixed, for (seed, epoch, batch); undefined where it is not. */
  readonly mixing: ((epoch: number, batch: number) => BatchMixing | undefined) | undefined
}

/** The functions of a decoded pipeline. */
export const compile = (pipeline: Pipeline, options: CompileOptions): Compiled => {
  const { seed, steps = builtIn, trace } = options
  const definitions: ReadonlyArray<Step> = pipeline.map((step) => definitionOf<Step>(steps, step))
  const changes = definitions.flatMap((step, i) =>
    step.on === "image" ? [step.compile(pipeline[i], options)] : []
  )
  const random = keyedDraws(seed, "augment")
  const augment: Compiled["augment"] = (canvas, epoch, image) => {
    noteImage(trace, image)
    for (let i = 0; i < changes.length; i++) {
      noteStep(trace, i)
      random.at(epoch, image, i)
      changes[i](canvas, random, epoch, image)
    }
  }
  const last = definitions.at(-1)
  if (last?.on !== "batch") return { augment, mixing: undefined }
  const draw = last.compile(pipeline[pipeline.length - 1], options)
  const ofBatch = keyedDraws(seed, "mix")
  const mixing = (epoch: number, batch: number): BatchMixing | undefined => {
    ofBatch.at(epoch, batch)
    return draw(ofBatch)
  }
  return { augment, mixing }
}
