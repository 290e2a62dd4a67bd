/** Hiding parts of images. */
import type { Draws } from "../../Random.ts"
import type { Canvas, Colour } from "./Canvas.ts"

/** Paints the pixels of rows [top, bottom) and columns [left, right), as far as they are in the image. */
export const fillBox = (
  { height, pixels, width }: Canvas,
  top: number,
  left: number,
  bottom: number,
  right: number,
  [red, green, blue]: Colour
): void => {
  const first = Math.max(0, left)
  const end = Math.min(width, right)
  for (let y = Math.max(0, top); y < Math.min(height, bottom); y++)
    for (let at = (y * width + first) * 3; at < (y * width + end) * 3; at += 3) {
      pixels[at] = red
      pixels[at + 1] = green
      pixels[at + 2] = blue
    }
}

/** Hides a square of `length` pixels around a point drawn from the whole image. */
export const cutout = (canvas: Canvas, length: number, random: Draws, colour: Colour): void => {
  const half = Math.floor(length / 2)
  const top = random.int(canvas.height) - half
  const left = random.int(canvas.width) - half
  fillBox(canvas, top, left, top + 2 * half, left + 2 * half, colour)
}

export interface ErasingOptions {
  /** Least and greatest share of the image that is hidden. */
  readonly scale: readonly [number, number]
  /** Least and greatest ratio of height to width of what is hidden. */
  readonly ratio: readonly [number, number]
}

/** Tries to find a box that fits, before an image is left as it is. */
const ATTEMPTS = 10

/**
 * Hides a box of random size, shape and place: Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation",
 * AAAI 2020. Its values are drawn one by one where `colour` is undefined.
 */
export const erase = (
  canvas: Canvas,
  { ratio, scale }: ErasingOptions,
  random: Draws,
  colour: Colour | undefined
): void => {
  const { height, pixels, width } = canvas
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = height * width * (scale[0] + random.uniform() * (scale[1] - scale[0]))
    const aspect = Math.exp(Math.log(ratio[0]) + random.uniform() * Math.log(ratio[1] / ratio[0]))
    const rows = Math.round(Math.sqrt(area * aspect))
    const columns = Math.round(Math.sqrt(area / aspect))
    if (rows >= height || columns >= width) continue
    const top = random.int(height - rows + 1)
    const left = random.int(width - columns + 1)
    if (colour !== undefined) {
      fillBox(canvas, top, left, top + rows, left + columns, colour)
      return
    }
    for (let y = top; y < top + rows; y++)
      for (let at = (y * width + left) * 3; at < (y * width + left + columns) * 3; at++) {
        pixels[at] = random.uint32()
      }
    return
  }
}
