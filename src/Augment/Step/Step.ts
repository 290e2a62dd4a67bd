/** A step of an augmentation pipeline as a value: its options, what it does, and pictures of it. */
import type * as Schema from "effect/Schema"
import {
  type Definition,
  type InputOf,
  type OptionsOf,
  type Registered,
  type Stated,
  statedSchema
} from "../../Config/Registered.ts"
import type { Draws } from "../../Random.ts"
import type { Trace } from "../Batch/Breadcrumbs.ts"
import type { Canvas, Colour } from "../Kernel/Canvas.ts"
import type { BatchMixing } from "../Kernel/Mix.ts"
import type { ImageSize } from "../Policy/Magnitude.ts"

/** What a step may depend on besides its options. */
export interface StepContext {
  /** Of the run: an integer in [0, 2^32). */
  readonly seed: number
  readonly size: ImageSize
  /** The data set's mean colour, which hidden pixels get. */
  readonly mean: Colour
  /** Where operations are noted, so that an error can name them. */
  readonly trace: Trace
}

/** Changes the image on a canvas. `random` starts anew for each (seed, epoch, image, step). */
export type ChangeImage = (canvas: Canvas, random: Draws, epoch: number, image: number) => void

/** Draws how a batch is mixed; undefined where it is left as it is. `random` starts anew for each (seed, epoch, batch). */
export type DrawMixing = (random: Draws) => BatchMixing | undefined

/** One of the things that a step may do to an image, as a picture shows it. */
export interface Example {
  readonly label: string
  readonly change: (canvas: Canvas, random: Draws) => void
}

/** A step on one image. */
export interface ImageStep<Options extends Registered = Registered, Input = unknown>
  extends Definition<Options, Input> {
  readonly on: "image"
  compile(options: Options, context: StepContext): ChangeImage
  describe?(options: Options, context: StepContext): ReadonlyArray<Example>
}

/** A step that mixes the images of a batch; it can only be the last. */
export interface BatchStep<Options extends Registered = Registered, Input = unknown>
  extends Definition<Options, Input> {
  readonly on: "batch"
  compile(options: Options, context: StepContext): DrawMixing
  describe?(options: Options, context: StepContext): ReadonlyArray<DrawMixing>
}

export type Step = ImageStep | BatchStep

interface StatedImageStep<Name extends string, Fields extends Schema.Struct.Fields>
  extends Stated<Name, Fields> {
  readonly on: "image"
  /** Makes the function that changes images, once for many images; that function allocates nothing. */
  readonly compile: (options: OptionsOf<Name, Fields>, context: StepContext) => ChangeImage
  /** What it may do, for a preview; without it the preview has one picture of the step. */
  readonly describe?: (options: OptionsOf<Name, Fields>, context: StepContext) => ReadonlyArray<Example>
}

interface StatedBatchStep<Name extends string, Fields extends Schema.Struct.Fields>
  extends Stated<Name, Fields> {
  readonly on: "batch"
  /** Makes the function that draws how a batch is mixed, once for many batches. */
  readonly compile: (options: OptionsOf<Name, Fields>, context: StepContext) => DrawMixing
  /** The ways of mixing, for a preview. */
  readonly describe?: (options: OptionsOf<Name, Fields>, context: StepContext) => ReadonlyArray<DrawMixing>
}

/** A step of one's own, or of this library: what a pipeline does under its name. */
export const defineStep: {
  <const Name extends string, const Fields extends Schema.Struct.Fields>(
    stated: StatedImageStep<Name, Fields>
  ): ImageStep<OptionsOf<Name, Fields>, InputOf<Name, Fields>>
  <const Name extends string, const Fields extends Schema.Struct.Fields>(
    stated: StatedBatchStep<Name, Fields>
  ): BatchStep<OptionsOf<Name, Fields>, InputOf<Name, Fields>>
} = (stated: StatedImageStep<string, Schema.Struct.Fields> | StatedBatchStep<string, Schema.Struct.Fields>) =>
  ({ ...stated, schema: statedSchema(stated) }) as never
