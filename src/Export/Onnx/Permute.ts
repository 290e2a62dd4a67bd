/** Constants with their axes in another order. */
import type { Constant } from "../../Device/Graph/GraphDef.ts"

/** The constant whose axis `i` is the given one's axis `order[i]`. */
export const permuted = ({ data, dtype, shape }: Constant, order: ReadonlyArray<number>): Constant => {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const sides = order.map((axis) => shape[axis])
  const steps = order.map((axis) => strides[axis])
  const result = data.slice()
  const at = sides.map(() => 0)
  let from = 0
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from]
    for (let axis = sides.length - 1; axis >= 0; axis--) {
      from += steps[axis]
      if (++at[axis] < sides[axis]) break
      from -= steps[axis] * sides[axis]
      at[axis] = 0
    }
  }
  return { dtype, shape: sides, data: result }
}
