/** Test-time augmentation: the ways in which an image is shown to a network. */
import { makeTrace } from "../../Augment/Batch/Breadcrumbs.ts"
import { compile } from "../../Augment/Compile.ts"
import { type Canvas, makeCanvas, toColour } from "../../Augment/Kernel/Canvas.ts"
import { crop, flipHorizontally } from "../../Augment/Kernel/Crop.ts"
import type { Step } from "../../Augment/Step/Step.ts"
import { steps as builtIn } from "../../Augment/Steps.ts"
import { VIEWS, type ViewConfig, type Views } from "../../Config/Views.ts"
import type { PerChannel } from "../../Data.ts"
import type { Size } from "../../Model/Layer/Layer.ts"

/** One way of showing an image. */
export interface View {
  /** What the view depends on, in words that differ where the views do. */
  readonly key: string
  readonly weight: number
  /** Changes the image on a canvas into what is shown; `image` is its number in the data set. */
  readonly apply: (canvas: Canvas, image: number) => void
}

interface Images {
  readonly size: Size
  /** Of the channels, for pixels in [0, 1]. */
  readonly mean: PerChannel
}

const resolve = (
  view: ViewConfig,
  { mean, size }: Images,
  steps: ReadonlyArray<Step>
): ReadonlyArray<View> => {
  const { weight, ...rest } = view
  if (rest._tag === "Window") {
    const { flip, mode, x, y } = rest
    const apply = (canvas: Canvas): void => {
      if (x !== 0 || y !== 0) crop(canvas, y, x, mode)
      if (flip) flipHorizontally(canvas)
    }
    return [{ key: JSON.stringify({ x, y, mode, flip }), weight, apply }]
  }
  const { draws, pipeline, seed } = rest
  const { augment } = compile(pipeline, { seed, size, mean: toColour(mean), trace: makeTrace(), steps })
  return Array.from({ length: draws }, (_, draw) => ({
    key: JSON.stringify({ pipeline, seed, draw }),
    weight: weight / draws,
    apply: (canvas, image) => augment(canvas, draw, image)
  }))
}

/** The views that a configuration stands for; those that are alike are one. */
export const viewsOf = (
  views: Views,
  images: Images,
  steps: ReadonlyArray<Step> = builtIn
): ReadonlyArray<View> => {
  const found = new Map<string, View>()
  for (const view of typeof views === "string" ? VIEWS[views] : views) {
    for (const one of resolve(view, images, steps)) {
      found.set(one.key, { ...one, weight: one.weight + (found.get(one.key)?.weight ?? 0) })
    }
  }
  return [...found.values()]
}

/** Shows images [N,H,W,3], given with their numbers, through a view. */
export const show = (
  { apply }: View,
  pixels: Uint8Array,
  { height, width }: Size,
  numbers: ArrayLike<number>
): Uint8Array => {
  const bytes = height * width * 3
  const canvas = makeCanvas(height, width)
  const shown = new Uint8Array(pixels.length)
  for (let i = 0; i < numbers.length; i++) {
    canvas.pixels.set(pixels.subarray(i * bytes, (i + 1) * bytes))
    apply(canvas, numbers[i])
    shown.set(canvas.pixels, i * bytes)
  }
  return shown
}
