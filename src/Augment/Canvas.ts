/**
 * The image that a pipeline works on. Operations change `pixels` in place, or write into `spare` and swap the two,
 * so that nothing is allocated for an image.
 */
import type { Images } from "../Data/Types.ts"

export interface Canvas {
  /** uint8 RGB, row by row. */
  pixels: Uint8Array
  /** As large as `pixels`; its contents are undefined. */
  spare: Uint8Array
  readonly height: number
  readonly width: number
}

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
export const load = (canvas: Canvas, images: Images, image: number): void => {
  if (!(image < images.count)) throw new RangeError(`there are only ${images.count} images`)
  const { pixels } = canvas
  const from = image * pixels.length
  for (let i = 0; i < pixels.length; i++) pixels[i] = images.pixels[from + i]
}
