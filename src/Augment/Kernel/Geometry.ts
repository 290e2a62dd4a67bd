/**
 * Affine transformations with nearest interpolation, exact to the byte with Pillow (`Image.transform`,
 * `Image.rotate`) as torchvision calls it. For images of up to 8,192 pixels a side.
 */
import { type Canvas, type Colour, swap } from "./Canvas.ts"

/** 16.16 fixed point, rounded half up: Pillow steps through the source in such numbers. */
const fixed = (value: number): number => Math.floor(value * 65536 + 0.5)

/** The pixel at (x, y) comes from (a·x + b·y + c, d·x + e·y + f), measured at the pixels' centres. */
const affine = (
  canvas: Canvas,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  fill: Colour
): void => {
  const { height, pixels, spare, width } = canvas
  const [red, green, blue] = fill
  const perColumnX = fixed(a)
  const perColumnY = fixed(d)
  const perRowX = fixed(b)
  const perRowY = fixed(e)
  let rowX = fixed(c + a * 0.5 + b * 0.5)
  let rowY = fixed(f + d * 0.5 + e * 0.5)
  let to = 0
  for (let y = 0; y < height; y++) {
    let sourceX = rowX
    let sourceY = rowY
    for (let x = 0; x < width; x++) {
      const column = sourceX >> 16
      const row = sourceY >> 16
      if (column >= 0 && column < width && row >= 0 && row < height) {
        const from = (row * width + column) * 3
        spare[to] = pixels[from]
        spare[to + 1] = pixels[from + 1]
        spare[to + 2] = pixels[from + 2]
      } else {
        spare[to] = red
        spare[to + 1] = green
        spare[to + 2] = blue
      }
      to += 3
      sourceX += perColumnX
      sourceY += perColumnY
    }
    rowX += perRowX
    rowY += perRowY
  }
  swap(canvas)
}

/** Moves an image right by `dx` and down by `dy` whole pixels. */
const translate = (canvas: Canvas, dx: number, dy: number, fill: Colour): void => {
  if (dx === 0 && dy === 0) return
  const { height, pixels, spare, width } = canvas
  const [red, green, blue] = fill
  let to = 0
  for (let y = 0; y < height; y++) {
    const row = y - dy
    const inside = row >= 0 && row < height
    for (let x = 0; x < width; x++) {
      const column = x - dx
      if (inside && column >= 0 && column < width) {
        const from = (row * width + column) * 3
        spare[to] = pixels[from]
        spare[to + 1] = pixels[from + 1]
        spare[to + 2] = pixels[from + 2]
      } else {
        spare[to] = red
        spare[to + 1] = green
        spare[to + 2] = blue
      }
      to += 3
    }
  }
  swap(canvas)
}

/** Moves an image right by the whole part of `pixels`. */
export const translateX = (canvas: Canvas, pixels: number, fill: Colour): void =>
  translate(canvas, Math.trunc(pixels), 0, fill)

/** Moves an image down by the whole part of `pixels`. */
export const translateY = (canvas: Canvas, pixels: number, fill: Colour): void =>
  translate(canvas, 0, Math.trunc(pixels), fill)

/** torchvision gives the angle of a shear in degrees; this is the factor that comes back out of it. */
const throughDegrees = (factor: number): number => {
  const degrees = Math.atan(factor) * (180 / Math.PI)
  return Math.tan(degrees * (Math.PI / 180))
}

/** Row y moves left by `factor` · y pixels. */
export const shearX = (canvas: Canvas, factor: number, fill: Colour): void => {
  if (factor !== 0) affine(canvas, 1, throughDegrees(factor), 0, 0, 1, 0, fill)
}

/** Column x moves up by `factor` · x pixels. */
export const shearY = (canvas: Canvas, factor: number, fill: Colour): void => {
  if (factor !== 0) affine(canvas, 1, 0, 0, throughDegrees(factor), 1, 0, fill)
}

/** Turns an image by 180 degrees, or a square by 90 or 270, without interpolation. */
const turn = (canvas: Canvas, degrees: number): void => {
  const { height, pixels, spare, width } = canvas
  let to = 0
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const row = degrees === 90 ? x : degrees === 180 ? height - 1 - y : height - 1 - x
      const column = degrees === 90 ? width - 1 - y : degrees === 180 ? width - 1 - x : y
      const from = (row * width + column) * 3
      spare[to++] = pixels[from]
      spare[to++] = pixels[from + 1]
      spare[to++] = pixels[from + 2]
    }
  swap(canvas)
}

/** Turns an image counter-clockwise about its centre. */
export const rotate = (canvas: Canvas, degrees: number, fill: Colour): void => {
  const { height, width } = canvas
  const angle = ((degrees % 360) + 360) % 360
  if (angle === 0) return
  if (angle === 180 || (height === width && angle % 90 === 0)) {
    turn(canvas, angle)
    return
  }
  const radians = -angle * (Math.PI / 180)
  const cos = Math.cos(radians)
  const sin = Math.sin(radians)
  const x = width / 2
  const y = height / 2
  affine(canvas, cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y, fill)
}
