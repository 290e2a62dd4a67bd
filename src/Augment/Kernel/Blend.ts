/**
 * Operations that blend an image with a plainer one, exact to the byte with Pillow (`ImageEnhance`) as torchvision
 * calls it. Pillow blends in float32: from + factor · (to − from), cut to a whole number in [0, 255].
 */
import { type Canvas, swap } from "./Canvas.ts"

/** Blends two values; `factor` is a float32 and may lie outside of [0, 1]. */
export const blendValue = (from: number, to: number, factor: number): number => {
  const value = Math.fround(from + Math.fround(factor * (to - from)))
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value)
}

/** Grey of a colour (ITU-R 601-2) in 16.16 fixed point, rounded. */
export const grey = (red: number, green: number, blue: number): number =>
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16

/** float32 products of a factor with the differences −255 … 255. */
const products = new Float32Array(511)

const multiply = (factor: number): void => {
  for (let i = 0; i < 511; i++) products[i] = factor * (i - 255)
}

/** `blendValue` with the factor of the last `multiply`. */
const blended = (from: number, to: number): number => {
  const value = Math.fround(from + products[to - from + 255]) | 0
  return value < 0 ? 0 : Math.min(value, 255)
}

/** Scales the distance of each pixel to its grey by 1 + `deviation`. */
export const color = ({ pixels }: Canvas, deviation: number): void => {
  multiply(Math.fround(1 + deviation))
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]
    const green = pixels[i + 1]
    const blue = pixels[i + 2]
    const level = grey(red, green, blue)
    pixels[i] = blended(level, red)
    pixels[i + 1] = blended(level, green)
    pixels[i + 2] = blended(level, blue)
  }
}

/** Rounded thirteenths: the weights of the smoothing filter, 1 around and 5 in the middle, add up to 13. */
const thirteenths = Uint8Array.from({ length: 255 * 13 + 1 }, (_, sum) => Math.floor((sum + 6) / 13))

/** Scales the distance of each value to the smoothed image by 1 + `deviation`. The border stays as it is. */
export const sharpness = (canvas: Canvas, deviation: number): void => {
  const { height, pixels, spare, width } = canvas
  if (height < 3 || width < 3) return
  multiply(Math.fround(1 + deviation))
  const line = width * 3
  spare.set(pixels)
  for (let y = 1; y < height - 1; y++) {
    const start = y * line + 3
    const end = (y + 1) * line - 3
    for (let i = start; i < end; i++) {
      const above = i - line
      const below = i + line
      const value = pixels[i]
      const sum =
        pixels[above - 3] +
        pixels[above] +
        pixels[above + 3] +
        pixels[i - 3] +
        5 * value +
        pixels[i + 3] +
        pixels[below - 3] +
        pixels[below] +
        pixels[below + 3]
      spare[i] = blended(thirteenths[sum], value)
    }
  }
  swap(canvas)
}
