/** Moving and mirroring whole images. */
import { type Canvas, swap } from "./Canvas.ts"

/** What lies outside of an image: zeros, the nearest pixel of the border, or the image mirrored at the border's pixels. */
export type PaddingMode = "zero" | "edge" | "reflect"

/** Where coordinate `at` of a padded line of `size` pixels lies in the line itself; -1 for nowhere. */
export const padded = (at: number, size: number, mode: PaddingMode): number => {
  if (at >= 0 && at < size) return at
  if (mode === "zero") return -1
  if (mode === "edge" || size === 1) return at < 0 ? 0 : size - 1
  // The mirrored line repeats with this period, however wide the padding.
  const period = 2 * (size - 1)
  const phase = ((at % period) + period) % period
  return phase < size ? phase : period - phase
}

/** A window of an image's own size; rows [firstRow, endRow) of it show rows of the image itself. */
interface Window {
  readonly top: number
  readonly left: number
  readonly mode: PaddingMode
  readonly firstRow: number
  readonly endRow: number
}

/** Fills column `x` of rows [first, end) of `spare`; they lie `top` rows further down in the image. */
const fillColumn = (
  { pixels, spare, width }: Canvas,
  { left, mode }: Window,
  x: number,
  top: number,
  first: number,
  end: number
): void => {
  const column = padded(x + left, width, mode)
  const shift = (top * width + column - x) * 3
  for (let y = first; y < end; y++) {
    const to = (y * width + x) * 3
    spare[to] = column < 0 ? 0 : pixels[to + shift]
    spare[to + 1] = column < 0 ? 0 : pixels[to + shift + 1]
    spare[to + 2] = column < 0 ? 0 : pixels[to + shift + 2]
  }
}

/** Fills a row that shows none of the image's own rows; those that do are complete. */
const fillRow = (canvas: Canvas, window: Window, y: number): void => {
  const { height, spare, width } = canvas
  const { endRow, firstRow, mode, top } = window
  const line = width * 3
  const row = padded(y + top, height, mode)
  const shown = row - top
  if (row < 0) spare.fill(0, y * line, (y + 1) * line)
  else if (shown >= firstRow && shown < endRow) {
    spare.copyWithin(y * line, shown * line, (shown + 1) * line)
  } else {
    for (let x = 0; x < width; x++) fillColumn(canvas, window, x, row - y, y, y + 1)
  }
}

/**
 * The window of an image's own size whose upper left corner lies at (top, left), in pixels; what is outside of the
 * image is padded. He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.
 */
export const crop = (canvas: Canvas, top: number, left: number, mode: PaddingMode): void => {
  const { height, pixels, spare, width } = canvas
  // All that lies in the image moves by the same number of bytes: one copy brings it, and the border is redone.
  const shift = (top * width + left) * 3
  if (Math.abs(shift) < pixels.length) {
    spare.set(pixels.subarray(Math.max(0, shift), pixels.length + Math.min(0, shift)), Math.max(0, -shift))
  }
  const firstRow = Math.min(height, Math.max(0, -top))
  const endRow = Math.max(firstRow, Math.min(height, height - top))
  const firstColumn = Math.min(width, Math.max(0, -left))
  const endColumn = Math.max(firstColumn, Math.min(width, width - left))
  const window = { top, left, mode, firstRow, endRow }
  for (let x = 0; x < firstColumn; x++) fillColumn(canvas, window, x, top, firstRow, endRow)
  for (let x = endColumn; x < width; x++) fillColumn(canvas, window, x, top, firstRow, endRow)
  for (let y = 0; y < firstRow; y++) fillRow(canvas, window, y)
  for (let y = endRow; y < height; y++) fillRow(canvas, window, y)
  swap(canvas)
}

/** Mirrors an image left to right. */
export const flipHorizontally = ({ height, pixels, width }: Canvas): void => {
  for (let y = 0; y < height; y++) {
    let left = y * width * 3
    let right = left + (width - 1) * 3
    for (; left < right; left += 3, right -= 3) {
      const r = pixels[left]
      const g = pixels[left + 1]
      const b = pixels[left + 2]
      pixels[left] = pixels[right]
      pixels[left + 1] = pixels[right + 1]
      pixels[left + 2] = pixels[right + 2]
      pixels[right] = r
      pixels[right + 1] = g
      pixels[right + 2] = b
    }
  }
}
