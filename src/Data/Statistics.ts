/**
 * Numbers that describe a whole data set, and the memory that it lies in.
 */
import { sha256 } from "../Platform/Hash.ts"
import type { LabelledImages } from "./Labelled.ts"
import type { Images, PerChannel } from "./Types.ts"

/** Bytes, all zero, that worker threads can read in place. */
export const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes))

/**
 * Mean and standard deviation (of the population) of each channel over all pixels, on the scale where a pixel is
 * in [0, 1]. Exact: pixels are counted by value before anything is rounded. A channel that never changes has the
 * deviation 1, by which it can be divided.
 */
export const channelStatistics = ({
  pixels
}: Pick<Images, "pixels">): { readonly mean: PerChannel; readonly std: PerChannel } => {
  const [red, green, blue] = [0, 1, 2].map(() => new Float64Array(256))
  for (let i = 0; i < pixels.length; i += 3) {
    red[pixels[i]]++
    green[pixels[i + 1]]++
    blue[pixels[i + 2]]++
  }
  const perChannel = (of: (counts: Float64Array) => number): PerChannel => [of(red), of(green), of(blue)]
  const total = pixels.length / 3
  const meanOf = (counts: Float64Array) =>
    counts.reduce((sum, count, value) => sum + count * value, 0) / total / 255
  const stdOf = (counts: Float64Array) => {
    const mean = meanOf(counts)
    // Its mean's rounding would be all of its deviation.
    if (counts.some((count) => count === total)) return 1
    return Math.sqrt(counts.reduce((sum, count, value) => sum + count * (value / 255 - mean) ** 2, 0) / total)
  }
  return { mean: perChannel(meanOf), std: perChannel(stdOf) }
}

/**
 * SHA-256 (hex) of class names, pixels and labels, whatever files they came from, and of which images the data set has
 * for validation. Its name does not change it, nor does which training images are held out.
 */
export const fingerprint = ({ classes, train, test, validation }: Omit<LabelledImages, "name">): string => {
  const parts = [train, test].flatMap(({ images, labels }) => [
    JSON.stringify([images.count, images.height, images.width]),
    images.pixels,
    labels
  ])
  return sha256([JSON.stringify(validation === undefined ? classes : { classes, validation }), ...parts])
}
