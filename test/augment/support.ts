/** Images and data sets to augment in tests. */
import * as Schema from "effect/Schema"
import { makeTrace, type Trace } from "../../src/Augment/Batch/Breadcrumbs.ts"
import { compile } from "../../src/Augment/Compile.ts"
import { type Canvas, makeCanvas } from "../../src/Augment/Kernel/Canvas.ts"
import type { Pipeline } from "../../src/Augment/Pipeline.ts"
import { shared } from "../../src/Data/Statistics.ts"
import { draws } from "../../src/Random.ts"

export const int = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))

export const number = (minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.isBetween({ minimum, maximum }))

/** An image of random values in [0, range). */
export const AnyImage = Schema.Struct({
  height: int(1, 40),
  width: int(1, 40),
  range: int(1, 256),
  seed: int(0, 1_000_000)
})
export type AnyImage = typeof AnyImage.Type

export const pixelsOf = ({ height, range, seed, width }: AnyImage): Uint8Array => {
  const random = draws(seed, "test image")
  return Uint8Array.from({ length: height * width * 3 }, () => random.int(range))
}

export const canvasOf = (image: AnyImage): Canvas => {
  const canvas = makeCanvas(image.height, image.width)
  canvas.pixels.set(pixelsOf(image))
  // What an operation does not write shows.
  canvas.spare.fill(111)
  return canvas
}

/** What `change` makes of an image. */
export const changed = (image: AnyImage, change: (canvas: Canvas) => void): Uint8Array => {
  const canvas = canvasOf(image)
  change(canvas)
  return canvas.pixels
}

/** A training split of random images in shared memory, with labels from 0 to 9. */
export const datasetOf = (count: number, size: { readonly height: number; readonly width: number }) => {
  const pixels = shared(count * size.height * size.width * 3)
  pixels.set(pixelsOf({ height: count * size.height, width: size.width, range: 256, seed: 5 }))
  return {
    mean: [0.5, 0.25, 0.75] as const,
    train: {
      images: { pixels, count, ...size },
      labels: Uint16Array.from({ length: count }, (_, i) => (i * 7) % 10),
      indices: Uint32Array.from({ length: count }, (_, i) => i)
    }
  }
}

/** Augments images 0 … count − 1, each a copy of the same one, and shows each result and what was last done. */
export const forEachImage = (
  pipeline: Pipeline,
  image: AnyImage | { readonly height: number; readonly width: number; readonly pixels: Uint8Array },
  count: number,
  see: (pixels: Uint8Array, image: number, trace: Trace) => void,
  epoch = 0
): void => {
  const trace = makeTrace()
  const { augment } = compile(pipeline, { seed: 17, size: image, mean: [1, 2, 3], trace })
  const original = "pixels" in image ? image.pixels : pixelsOf(image)
  const canvas = makeCanvas(image.height, image.width)
  for (let i = 0; i < count; i++) {
    canvas.pixels.set(original)
    augment(canvas, epoch, i)
    see(canvas.pixels, i, trace)
  }
}
