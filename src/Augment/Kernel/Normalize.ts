/** Normalisation outside of a compiled program; programs do it on the device. */
import type { PerChannel } from "../../Data/Types.ts"

/** uint8 [...,3] → float32 [...,3]: (value / 255 − mean) / std, for each channel. */
export const normalize = (
  pixels: Uint8Array,
  mean: PerChannel,
  std: PerChannel,
  out: Float32Array = new Float32Array(pixels.length)
): Float32Array => {
  const [redScale, greenScale, blueScale] = std.map((value) => 1 / (255 * value))
  const [redOffset, greenOffset, blueOffset] = mean.map((value, channel) => -value / std[channel])
  for (let i = 0; i < pixels.length; i += 3) {
    out[i] = pixels[i] * redScale + redOffset
    out[i + 1] = pixels[i + 1] * greenScale + greenOffset
    out[i + 2] = pixels[i + 2] * blueScale + blueOffset
  }
  return out
}
