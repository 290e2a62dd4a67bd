/** Test-time augmentation as data: the ways in which an image is shown to a network. */
import * as Schema from "effect/Schema"
import { count, positive, seed, withDefault } from "./Fields.ts"
import type { Registered } from "./Registered.ts"

/** The Schema of pipelines of steps that act on one image. */
export type ImagePipeline = Schema.Codec<ReadonlyArray<Registered>, ReadonlyArray<unknown>>

/** A number of pixels, to either side. */
const shift = Schema.Int.pipe(withDefault(0))
const weight = positive.pipe(withDefault(1))

/** A window of the image's own size that is moved over it, and perhaps mirrored; the image as it is unless moved. */
const WindowView = Schema.TaggedStruct("Window", {
  /** How far the window lies to the right and down. */
  x: shift,
  y: shift,
  flip: Schema.Boolean.pipe(withDefault(false)),
  /** What lies outside of the image. */
  mode: Schema.Literals(["reflect", "zero", "edge"]).pipe(
    withDefault<"reflect" | "zero" | "edge">("reflect")
  ),
  weight
})

/** Several draws of an augmentation, which share the weight. */
const augmentedView = (pipeline: ImagePipeline) =>
  Schema.TaggedStruct("Augmented", {
    pipeline,
    draws: count,
    seed: seed.pipe(withDefault(1)),
    weight
  })

const viewOf = (pipeline: ImagePipeline) => Schema.Union([WindowView, augmentedView(pipeline)])
export type ViewConfig = ReturnType<typeof viewOf>["Type"]

const still = (flip: boolean, weight = 1): ViewConfig => ({
  ...{ _tag: "Window", x: 0, y: 0, mode: "reflect" },
  ...{ flip, weight }
})

/** Windows at the four corners of the image with a border of `by` pixels, each as it is and mirrored. */
const corners = (by: number): ReadonlyArray<ViewConfig> =>
  [-by, by].flatMap((y) =>
    [-by, by].flatMap((x) => [false, true].map((flip) => ({ ...still(flip), x, y }) as ViewConfig))
  )

/** Views by name. */
export const VIEWS = {
  /** The image as it is. */
  identity: [still(false)],
  flip: [still(false), still(true)],
  /**
   * Both of them, and windows moved by a pixel to the upper left and to the lower right, also mirrored, with half of
   * the weight together: `tta_level` 2 of airbench (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU").
   */
  airbench: [
    ...[still(false, 2), still(true, 2)],
    ...[-1, 1].flatMap((by) => [false, true].map((flip) => ({ ...still(flip), x: by, y: by }) as ViewConfig))
  ],
  /** The centre and the four corners of the image with a border of four pixels, each as it is and mirrored. */
  "ten-crop": [still(false), still(true), ...corners(4)]
} as const satisfies Readonly<Record<string, ReadonlyArray<ViewConfig>>>

/** Views by a name, or one by one; `pipeline` is the Schema of the steps that act on one image. */
export const viewsSchema = (pipeline: ImagePipeline) =>
  Schema.Union([
    Schema.Literals(["identity", "flip", "airbench", "ten-crop"]),
    Schema.Array(viewOf(pipeline)).check(Schema.isMinLength(1))
  ])
export type Views = ReturnType<typeof viewsSchema>["Type"]
