/**
 * A grid of small images, enlarged and labelled, as one PNG.
 */

import * as Effect from "effect/Effect"
import { escaped } from "../Page/Html.ts"

export interface SheetImage {
  /** uint8 RGB, row by row. */
  readonly pixels: Uint8Array
  readonly height: number
  readonly width: number
  /** Written below the image. */
  readonly label?: string
}

export interface SheetOptions {
  /** Images in a row. */
  readonly columns: number
  /** Screen pixels a pixel, a whole number. */
  readonly scale: number
}

/** Between images and around the sheet, in screen pixels. */
const GAP = 6
const LABEL_HEIGHT = 16

/** Copies an image into the canvas, each pixel as a square of `scale` by `scale`. */
const enlarge = (
  canvas: Uint8Array,
  canvasWidth: number,
  image: SheetImage,
  left: number,
  top: number,
  scale: number
): void => {
  for (let y = 0; y < image.height * scale; y++)
    for (let x = 0; x < image.width * scale; x++) {
      const from = (Math.floor(y / scale) * image.width + Math.floor(x / scale)) * 3
      const to = ((top + y) * canvasWidth + left + x) * 3
      canvas[to] = image.pixels[from]
      canvas[to + 1] = image.pixels[from + 1]
      canvas[to + 2] = image.pixels[from + 2]
    }
}

/** Lays the images out row by row on white and gives the bytes of a PNG. */
export const contactSheet = Effect.fn("contactSheet")(function* (
  images: ReadonlyArray<SheetImage>,
  { columns, scale }: SheetOptions
) {
  const { default: sharp } = yield* Effect.promise(() => import("sharp"))
  const cellWidth = Math.max(...images.map((image) => image.width)) * scale
  const imageHeight = Math.max(...images.map((image) => image.height)) * scale
  const cellHeight = imageHeight + (images.some((image) => image.label !== undefined) ? LABEL_HEIGHT : 0)
  const width = GAP + columns * (cellWidth + GAP)
  const height = GAP + Math.ceil(images.length / columns) * (cellHeight + GAP)

  const canvas = new Uint8Array(width * height * 3).fill(255)
  const texts: Array<string> = []
  images.forEach((image, i) => {
    const left = GAP + (i % columns) * (cellWidth + GAP)
    const top = GAP + Math.floor(i / columns) * (cellHeight + GAP)
    enlarge(canvas, width, image, left, top, scale)
    if (image.label === undefined) return
    // A nested svg cuts what is too long for the cell.
    texts.push(
      `<svg x="${left}" y="${top + imageHeight}" width="${cellWidth}" height="${LABEL_HEIGHT}"><text y="12">${escaped(image.label)}</text></svg>`
    )
  })
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">${texts.join("")}</svg>`
  const png = yield* Effect.promise(() =>
    sharp(canvas, { raw: { width, height, channels: 3 } })
      .composite([{ input: Buffer.from(overlay), left: 0, top: 0 }])
      .png()
      .toBuffer()
  )
  return new Uint8Array(png)
})
