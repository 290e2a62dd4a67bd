/** Residual networks are groups of blocks; the first block of every group but the first halves the image. */
import { halve, type Size } from "../Layer/Layer.ts"

/** Where a block stands. */
export interface Place {
  /** From 1, over all groups. */
  readonly index: number
  /** Number of blocks in all groups. */
  readonly total: number
  /** From 1. */
  readonly group: number
  /** From 0. */
  readonly inGroup: number
  readonly stride: 1 | 2
  /** Height and width of the block's input and output. */
  readonly inputSize: Size
  readonly size: Size
}

/** The places of the blocks of groups with that many blocks each, on images of a size. */
export const places = (groups: ReadonlyArray<number>, imageSize: Size): ReadonlyArray<Place> => {
  const total = groups.reduce((a, b) => a + b, 0)
  const result: Array<Place> = []
  let inputSize = imageSize
  for (const [g, blocks] of groups.entries()) {
    for (let inGroup = 0; inGroup < blocks; inGroup++) {
      const stride = g > 0 && inGroup === 0 ? 2 : 1
      const size = stride === 1 ? inputSize : halve(inputSize)
      result.push({ index: result.length + 1, total, group: g + 1, inGroup, stride, inputSize, size })
      inputSize = size
    }
  }
  return result
}
