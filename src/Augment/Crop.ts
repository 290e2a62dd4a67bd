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

/** Fills columns [first, end) of row `y` of `to` with what `mode` puts there. */
const fillColumns = (
  { height, pixels, spare, width }: Canvas,
  y: number,
  top: number,
  left: number,
  first: number,
  end: number,
  mode: PaddingMode
): void => {
  const row = padded(y + top, height, mode)
  let to = (y * width + first) * 3
  for (let x = first; x < end; x++, to += 3) {
    const column = padded(x + left, width, mode)
    const inside = row >= 0 && column >= 0
    const from = (row * width + column) * 3
    spare[to] = inside ? pixels[from] : 0
    spare[to + 1] = inside ? pixels[from + 1] : 0
    spare[to + 2] = inside ? pixels[from + 2] : 0
  }
}

/**
 * The window of an image's own size whose upper left corner lies at (top, left), in pixels; what is outside of the
 * image is padded. He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.
 */
export const crop = (canvas: Canvas, top: number, left: number, mode: PaddingMode): void => {
  const { height, pixels, spare, width } = canvas
  // All that lies in the image moves by the same number of bytes, so one copy brings it, and the border is redone.
  const shift = (top * width + left) * 3
  if (Math.abs(shift) < pixels.length) {
    spare.set(pixels.subarray(Math.max(0, shift), pixels.length + Math.min(0, shift)), Math.max(0, -shift))
  }
  const firstRow = Math.min(height, Math.max(0, -top))
  const endRow = Math.max(firstRow, Math.min(height, height - top))
  const firstColumn = Math.min(width, Math.max(0, -left))
  const endColumn = Math.max(firstColumn, Math.min(width, width - left))
  for (let y = 0; y < height; y++) {
    if (y < firstRow || y >= endRow) fillColumns(canvas, y, top, left, 0, width, mode)
    else {
      fillColumns(canvas, y, top, left, 0, firstColumn, mode)
      fillColumns(canvas, y, top, left, endColumn, width, mode)
    }
  }
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
