/** Hiding parts of images. */
import type { Canvas, Colour } from "./Canvas.ts"

/** Paints the pixels of rows [top, bottom) and columns [left, right), as far as they are in the image. */
export const fillBox = (
  { height, pixels, width }: Canvas,
  top: number,
  left: number,
  bottom: number,
  right: number,
  colour: Colour
): void => {
  const [r, g, b] = colour
  const first = Math.max(0, left)
  const end = Math.min(width, right)
  for (let y = Math.max(0, top); y < Math.min(height, bottom); y++)
    for (let at = (y * width + first) * 3; at < (y * width + end) * 3; at += 3) {
      pixels[at] = r
      pixels[at + 1] = g
      pixels[at + 2] = b
    }
}
