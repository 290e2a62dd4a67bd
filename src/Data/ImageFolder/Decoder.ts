/** Decodes an image's bytes: the one way from a file, or from a request, to what a network is shown. */
import * as Effect from "effect/Effect"
import { MOST_PIXELS, whyDamaged } from "./File.ts"

interface Wanted {
  readonly height: number
  readonly width: number
  /** Pixels of the image at most, before it is resized. */
  readonly mostPixels?: number
}

/** Gives the pixels [height,width,3] of an image; a rejection's message says why there are none. */
export type DecodeImage = (bytes: Uint8Array, wanted: Wanted) => Promise<Uint8Array>

/** Users of sharp's settings at the moment: the first changes them, the last puts them back. */
let users = 0
let restore = (): void => {}

/**
 * A decoder until the scope closes: as sRGB, turned upright as EXIF data say, transparent parts on black, and resized
 * with Lanczos-3 where the size differs (the aspect ratio is not kept). Of an animation or a file of several pages the
 * first is taken; CMYK becomes sRGB by the image's colour profile, or a common one (libvips's).
 *
 * Many small images at a time, a thread for each, beat many threads on one, and no file is read twice: sharp is set to
 * that meanwhile.
 */
export const imageDecoder = Effect.gen(function* () {
  const { default: sharp } = yield* Effect.promise(() => import("sharp"))
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      if (users++ > 0) return
      const concurrency = sharp.concurrency()
      const { memory, files, items } = sharp.cache()
      restore = () => {
        sharp.concurrency(concurrency)
        sharp.cache({ memory: memory.max, files: files.max, items: items.max })
      }
      sharp.concurrency(1)
      sharp.cache(false)
    }),
    () =>
      Effect.sync(() => {
        if (--users === 0) restore()
      })
  )
  const decode: DecodeImage = async (bytes, { height, mostPixels = MOST_PIXELS, width }) => {
    const decoded = await sharp(bytes, { limitInputPixels: mostPixels })
      .autoOrient()
      .flatten({ background: "#000" })
      .resize({ width, height, fit: "fill", kernel: "lanczos3" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer()
      .catch((cause: unknown) => {
        throw new Error(whyDamaged(cause, bytes, mostPixels), { cause })
      })
    const channels = decoded.length / (height * width)
    if (channels !== 3) throw new Error(`${channels} channels instead of 3`)
    return decoded
  }
  return decode
})
