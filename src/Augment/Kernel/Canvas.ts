/**
 * The image that a pipeline works on. Operations change `pixels` in place, or write into `spare` and swap the two,
 * so that nothing is allocated for an image.
 */
import type { Images, PerChannel } from "../../Data/Types.ts"

export interface Canvas {
  /** uint8 RGB, row by row. */
  pixels: Uint8Array
  /** As large as `pixels`; its contents are undefined. */
  spare: Uint8Array
  readonly height: number
  readonly width: number
}

/** Red, green and blue, whole numbers in [0, 255]. */
export type Colour = readonly [number, number, number]

/** A colour on the scale where a pixel is in [0, 1], in whole grey levels. */
export const toColour = ([red, green, blue]: PerChannel): Colour => [
  Math.round(255 * red),
  Math.round(255 * green),
  Math.round(255 * blue)
]

export const makeCanvas = (height: number, width: number): Canvas => ({
  pixels: new Uint8Array(height * width * 3),
  spare: new Uint8Array(height * width * 3),
  height,
  width
})

/** Makes what was written into `spare` the image. */
export const swap = (canvas: Canvas): void => {
  const { pixels } = canvas
  canvas.pixels = canvas.spare
  canvas.spare = pixels
}

/** Copies an image of a data set onto the canvas. Throws a `RangeError` where there is no such image. */
export const load = ({ pixels }: Canvas, images: Images, image: number): void => {
  if (!(image >= 0 && image < images.count)) {
    throw new RangeError(`there is no image ${image} among ${images.count}`)
  }
  const from = image * pixels.length
  pixels.set(images.pixels.subarray(from, from + pixels.length))
}
