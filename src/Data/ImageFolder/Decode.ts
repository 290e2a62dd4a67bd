/**
 * Decodes image files of any size into one block of shared memory.
 */
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { gigabytes, memoryHere } from "../../Platform/Memory.ts"
import { shared } from "../Statistics.ts"
import { DataError, type Images } from "../Types.ts"
import { imageDecoder } from "./Decoder.ts"
import { readImage } from "./File.ts"
import type { FoundImage } from "./Scan.ts"

export interface Unreadable {
  /** Path below the image folder. */
  readonly path: string
  readonly reason: string
}

export interface DecodeOptions {
  readonly height: number
  readonly width: number
  /** Collect unreadable images instead of failing at the first one. */
  readonly skipUnreadable: boolean
  /** Called after each image. */
  readonly onDecoded: () => void
}

/** Images that one task decodes, one after the other. */
const GROUP = 256

/** sharp decodes on libuv's threads, four unless UV_THREADPOOL_SIZE says otherwise. */
const inFlight = (): number => Math.max(4, os.availableParallelism())

/** How an unreadable image is reported. */
export const unreadableError = (root: string, image: Unreadable, cause?: unknown): DataError =>
  new DataError({
    reason: "UnreadableImage",
    message: `cannot read the image ${path.join(root, image.path)}: ${image.reason}`,
    cause
  })

/** The images that could be read, in their order. */
const keepReadable = (
  pixels: Uint8Array,
  labels: Uint16Array,
  size: number,
  unreadable: ReadonlyMap<number, string>
): readonly [pixels: Uint8Array, labels: Uint16Array] => {
  if (unreadable.size === 0) return [pixels, labels]
  const kept = Array.from(labels.keys()).filter((i) => !unreadable.has(i))
  const keptPixels = shared(kept.length * size)
  kept.forEach((from, to) => {
    keptPixels.set(pixels.subarray(from * size, (from + 1) * size), to * size)
  })
  return [keptPixels, Uint16Array.from(kept, (i) => labels[i])]
}

/**
 * Reads images below `root`, each as `imageDecoder` says.
 *
 * @errors DataError naming the first image that cannot be read, unless such images are to be skipped, and where the
 *   pixels are more than the memory
 */
export const decodeImages = Effect.fn("decodeImages")(function* (
  root: string,
  found: ReadonlyArray<Pick<FoundImage, "label" | "path">>,
  options: DecodeOptions
) {
  const { height, width, skipUnreadable, onDecoded } = options
  const size = height * width * 3
  const [needed, memory] = [found.length * size, memoryHere()]
  if (needed > memory) {
    return yield* new DataError({
      reason: "TooLarge",
      message: `${found.length} images of ${height}×${width} pixels take ${gigabytes(needed)} of memory: there are ${gigabytes(memory)}`
    })
  }
  const all = shared(needed)
  const unreadable = new Map<number, string>()

  const decodeImage = yield* imageDecoder
  const decode = async (index: number): Promise<void> => {
    const bytes = await readImage(path.join(root, found[index].path))
    const decoded = await decodeImage(bytes, { height, width })
    all.set(decoded, index * size)
  }

  const decodeGroup = (first: number) =>
    Effect.tryPromise({
      try: async (signal) => {
        for (let i = first; i < Math.min(first + GROUP, found.length) && !signal.aborted; i++) {
          await decode(i).catch((cause: unknown) => {
            const { message: reason } = cause as Error
            if (!skipUnreadable) throw unreadableError(root, { path: found[i].path, reason }, cause)
            unreadable.set(i, reason)
          })
          onDecoded()
        }
      },
      catch: (cause) =>
        cause instanceof DataError ? cause : new DataError({ message: String(cause), cause })
    })

  const groups = Array.from({ length: Math.ceil(found.length / GROUP) }, (_, i) => i * GROUP)
  yield* Effect.forEach(groups, decodeGroup, { concurrency: inFlight(), discard: true })

  const labels = Uint16Array.from(found, (image) => image.label)
  const [pixels, keptLabels] = keepReadable(all, labels, size, unreadable)
  const images: Images = { pixels, count: keptLabels.length, height, width }
  const skipped = Array.from(unreadable, ([i, reason]): Unreadable => ({ path: found[i].path, reason }))
  return { images, labels: keptLabels, skipped }
}, Effect.scoped)
