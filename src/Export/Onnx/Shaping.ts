/** What moves numbers and computes nothing: shapes, slices, borders, joining. */
import { type Operand, rankOf, TO_FIRST } from "./Builder.ts"
import { decimal, numbersOf, type Translation } from "./Operation.ts"

const isFirst = (operand: Operand): boolean => operand.kind === "value" && operand.first

const reordered = <A>(values: ReadonlyArray<A>, first: boolean): ReadonlyArray<A> =>
  first ? TO_FIRST.map((axis) => values[axis]) : values

const reshape: Translation = (operation, to) => {
  const shape = numbersOf(operation, 1)
  const { inputs, name } = operation
  return [to.emit("Reshape", [to.last(inputs[0]), to.integers(shape)], { name, rank: shape.length })]
}

/** To the end of an axis. */
const END = 2n ** 63n - 1n

const slice: Translation = (operation, to) => {
  const [x] = operation.inputs
  const first = isFirst(x)
  const begin = numbersOf(operation, 1)
  const sizes = numbersOf(operation, 2)
  const ends = sizes.map((size, axis) => (size < 0 ? END : begin[axis] + size))
  const inputs = [
    first ? to.first(x) : to.last(x),
    to.integers(reordered(begin, first)),
    to.integers(reordered(ends, first))
  ]
  return [to.emit("Slice", inputs, { name: operation.name, rank: rankOf(x), first })]
}

/** Axes in reverse: slices from the last to the first, whose end lies before every axis. */
const reverse: Translation = (operation, to) => {
  const [x] = operation.inputs
  const rank = rankOf(x)
  const first = isFirst(x)
  const axes = numbersOf(operation, 1)
    .map((axis) => (axis < 0 ? axis + rank : axis))
    .map((axis) => (first ? TO_FIRST.indexOf(axis) : axis))
  const each = (value: number | bigint): string => to.integers(axes.map(() => value))
  const inputs = [first ? to.first(x) : to.last(x), each(-1), each(-END), to.integers(axes), each(-1)]
  return [to.emit("Slice", inputs, { name: operation.name, rank, first })]
}

const pad: Translation = (operation, to) => {
  const [x] = operation.inputs
  const first = isFirst(x)
  const pairs = numbersOf(operation, 1)
  const [value = 0] = operation.inputs.length > 2 ? numbersOf(operation, 2) : []
  const axes = reordered(
    Array.from({ length: rankOf(x) }, (_, axis) => axis),
    first
  )
  const pads = [...axes.map((axis) => pairs[2 * axis]), ...axes.map((axis) => pairs[2 * axis + 1])]
  const inputs = [first ? to.first(x) : to.last(x), to.integers(pads), to.scalar(value)]
  return [to.emit("Pad", inputs, { name: operation.name, rank: rankOf(x), first })]
}

const concat: Translation = (operation, to) => {
  const parts = operation.inputs.slice(0, -1)
  const [given] = numbersOf(operation, operation.inputs.length - 1)
  const rank = rankOf(parts[0])
  const axis = given < 0 ? given + rank : given
  const first = parts.some(isFirst)
  return [
    to.emit(
      "Concat",
      parts.map((part) => (first ? to.first(part) : to.last(part))),
      { name: operation.name, rank, first, attributes: { axis: first ? TO_FIRST.indexOf(axis) : axis } }
    )
  ]
}

/** Each part of an axis, which is no longer one. */
const unpack: Translation = (operation, to) => {
  const [x] = operation.inputs
  return Array.from({ length: decimal(operation, "num") }, (_, i) =>
    to.emit("Gather", [to.last(x), to.integer(i)], {
      name: i === 0 ? operation.name : `${operation.name}:${i}`,
      rank: rankOf(x) - 1,
      attributes: { axis: decimal(operation, "axis") }
    })
  )
}

export const shaping: Readonly<Record<string, Translation>> = {
  ConcatV2: concat,
  Pad: pad,
  PadV2: pad,
  Reshape: reshape,
  ReverseV2: reverse,
  Slice: slice,
  Unpack: unpack
}
