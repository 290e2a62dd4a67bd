/**
 * Images as CIFAR's files hold them, and their conversion to the order of the rest of the project.
 */
import type { LabelledImages } from "../Labelled.ts"
import { shared } from "../Statistics.ts"

/** Height and width in pixels. */
const SIZE = 32
const PLANE = SIZE * SIZE

/** Bytes of an image: a plane each of red, green and blue. */
export const IMAGE_BYTES = 3 * PLANE

/** The images of one file. Image i is three planes in `bytes`, from `first + i * stride` on. */
export interface Records {
  readonly labels: ReadonlyArray<number>
  readonly bytes: Uint8Array
  readonly first: number
  readonly stride: number
}

/**
 * Checks that a file holds images and that each label names one of the classes.
 *
 * @throws Error saying which record is wrong.
 */
export const checkLabels = ({ labels }: Records, classes: number): void => {
  if (labels.length === 0) throw new Error("it holds no images")
  const wrong = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong >= 0)
    throw new Error(
      `record ${wrong} (counted from 0) has the label ${labels[wrong]}, but labels are 0 to ${classes - 1}`
    )
}

/** All images of the files one after the other, from planes (CHW) to pixels (HWC), in shared memory. */
export const joinRecords = (files: ReadonlyArray<Records>): LabelledImages["train"] => {
  const labels = Uint16Array.from(files.flatMap((file) => file.labels))
  const pixels = shared(labels.length * IMAGE_BYTES)
  let to = 0
  for (const { labels, bytes, first, stride } of files)
    for (let i = 0; i < labels.length; i++) {
      const red = first + i * stride
      for (let from = red; from < red + PLANE; from++) {
        pixels[to++] = bytes[from]
        pixels[to++] = bytes[from + PLANE]
        pixels[to++] = bytes[from + 2 * PLANE]
      }
    }
  return { images: { pixels, count: labels.length, height: SIZE, width: SIZE }, labels }
}
