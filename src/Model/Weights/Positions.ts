/**
 * Positions of a vision transformer's patches for another grid of patches, resampled as images are: bicubic with
 * antialiasing (Keys 1981, a = −1/2), the way of timm and Pillow.
 */
import { float32, type HostTensor } from "../../Tensor/HostTensor.ts"
import type { Size } from "../Layer/Layer.ts"

const A = -0.5
/** Neighbours on each side, at the resolution that is lower. */
const SUPPORT = 2

const cubic = (distance: number): number => {
  const x = Math.abs(distance)
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1
  if (x < 2) return ((x - 5) * x + 8) * A * x - 4 * A
  return 0
}

/** What each place of an axis of `to` is made of: weights of the places from `first` on an axis of `from`. */
const weightsAlong = (from: number, to: number) => {
  const step = from / to
  const stretch = Math.max(step, 1)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * step
    const first = Math.max(0, Math.floor(centre - SUPPORT * stretch + 0.5))
    const end = Math.min(from, Math.floor(centre + SUPPORT * stretch + 0.5))
    const weights = Array.from({ length: end - first }, (_, k) => cubic((first + k + 0.5 - centre) / stretch))
    const sum = weights.reduce((a, b) => a + b, 0)
    return { first, weights: weights.map((weight) => weight / sum) }
  })
}

/** Resamples axis 1 of [outer, from, inner] to `to` places. */
const resampleAxis = (x: Float32Array, outer: number, from: number, to: number, inner: number) => {
  const result = new Float32Array(outer * to * inner)
  for (const [i, { first, weights }] of weightsAlong(from, to).entries())
    for (let o = 0; o < outer; o++)
      for (let c = 0; c < inner; c++) {
        let sum = 0
        for (let k = 0; k < weights.length; k++) sum += weights[k] * x[(o * from + first + k) * inner + c]
        result[(o * to + i) * inner + c] = sum
      }
  return result
}

/**
 * Embeddings [1, 1 + n², width] of the class's token and of a square grid of patches, for a grid of another size:
 * [1, 1 + height·width, width]. The class's stays as it is.
 */
export const resamplePositions = (
  positions: HostTensor<"float32">,
  { height, width }: Size
): HostTensor<"float32"> => {
  const [, tokens, channels] = positions.shape
  const side = Math.sqrt(tokens - 1)
  const patches = positions.data.subarray(channels)
  const wide = resampleAxis(patches, side, side, width, channels)
  const resampled = resampleAxis(wide, 1, side, height, width * channels)
  const result = new Float32Array(channels + resampled.length)
  result.set(positions.data.subarray(0, channels))
  result.set(resampled, channels)
  return float32([1, 1 + height * width, channels], result)
}
