/** From what clients send to the bytes that a network is shown. */
import type { Size } from "../../Model/Layer/Layer.ts"
import { badRequest, type Refusal } from "../Errors.ts"
import { MOST_IMAGES } from "../Options.ts"

/** Images as a network is shown them: uint8 [count,height,width,3]. */
export interface Pixels {
  readonly count: number
  readonly data: Uint8Array
}

export const imageBytes = ({ height, width }: Size): number => height * width * 3

/** A shape as people read it. */
export const wantedShape = ({ height, width }: Size): string => `[N, ${height}, ${width}, 3]`

/** The number of images in a shape, or what is wrong with it. */
export const countOf = (shape: ReadonlyArray<number>, size: Size): number | Refusal => {
  const [count, ...image] = shape
  if (image.length !== 3 || image[0] !== size.height || image[1] !== size.width || image[2] !== 3) {
    return badRequest(
      `images has the shape [${shape.slice(0, 8).join(", ")}], but ${wantedShape(size)} is wanted`
    )
  }
  if (count >= 1 && count <= MOST_IMAGES) return count
  return badRequest(`a request has 1 to ${MOST_IMAGES} images, not ${count}`)
}

/**
 * Numbers of nested lists, or of one flat list, written one after the other. Fails where a list has another length than
 * the shape says, or a number is no whole one from 0 to 255.
 */
export const fill = (value: unknown, shape: ReadonlyArray<number>, out: Uint8Array): Refusal | undefined => {
  let at = 0
  const number = (item: unknown): boolean => {
    if (!Number.isInteger(item) || (item as number) < 0 || (item as number) > 255) return false
    out[at++] = item as number
    return true
  }
  const wrong = badRequest("a pixel is a whole number from 0 to 255")
  const visit = (item: unknown, depth: number): Refusal | undefined => {
    if (!Array.isArray(item) || item.length !== shape[depth]) {
      return badRequest(`the numbers of images are not nested as its shape [${shape.join(", ")}] says`)
    }
    if (depth === shape.length - 1) return item.every(number) ? undefined : wrong
    for (const inner of item) {
      const problem = visit(inner, depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  if (Array.isArray(value) && value.length > 0 && !Array.isArray(value[0])) {
    if (value.length !== out.length) {
      return badRequest(`images has ${value.length} numbers, but its shape holds ${out.length}`)
    }
    return value.every(number) ? undefined : wrong
  }
  return visit(value, 0)
}
