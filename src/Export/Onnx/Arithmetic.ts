/** What is computed number by number, products of matrices, and sums along axes. */
import { type Builder, type Operand, rankOf, TO_FIRST, TO_LAST, type Value } from "./Builder.ts"
import { flag, numbersOf, type Operation, refused, type Translation } from "./Operation.ts"

const isFirst = (operand: Operand): boolean => operand.kind === "value" && operand.first

/** A function of one number, in whichever order the axes are. */
const unary =
  (op: string): Translation =>
  ({ inputs: [x], name }, to) => {
    const first = isFirst(x)
    return [to.emit(op, [first ? to.first(x) : to.last(x)], { name, rank: rankOf(x), first })]
  }

/** A function of two numbers, of which the smaller operand is spread over the larger. */
const binary =
  (op: string): Translation =>
  ({ inputs, name }, to) => {
    const first = inputs.some(isFirst) && inputs.every((x) => x.kind === "constant" || x.rank === 4)
    const given = inputs.map((x) => (first ? to.first(x) : to.last(x)))
    return [to.emit(op, given, { name, rank: Math.max(...inputs.map(rankOf)), first })]
  }

const square: Translation = ({ inputs: [x], ...rest }, to) => binary("Mul")({ ...rest, inputs: [x, x] }, to)

const rsqrt: Translation = (operation, to) => {
  const root = unary("Sqrt")({ ...operation, name: `${operation.name}/root` }, to)
  return unary("Reciprocal")({ ...operation, inputs: root }, to)
}

/** Numbers become floats; what is one already stays as it is. */
const cast: Translation = (operation, to) => {
  const { attributes, inputs, name } = operation
  if (Buffer.compare(attributes.SrcT, attributes.DstT) === 0) return inputs
  return [to.emit("Cast", [to.last(inputs[0])], { name, rank: rankOf(inputs[0]), attributes: { to: 1 } })]
}

/** The last two axes changed for each other. */
const swapped = (x: Operand, to: Builder, name: string): string => {
  const rank = rankOf(x)
  const order = Array.from({ length: rank }, (_, i) => i)
  order.splice(rank - 2, 2, rank - 1, rank - 2)
  if (x.kind === "constant") return to.constant(x, order)
  return to.emit("Transpose", [to.last(x)], { name, rank, attributes: { perm: order } }).name
}

const matMul =
  (left: string, right: string): Translation =>
  (operation, to) => {
    const { inputs, name } = operation
    const [a, b] = [left, right].map((key, i) =>
      flag(operation, key)
        ? swapped(inputs[i], to, `${name}/${i === 0 ? "left" : "right"}`)
        : to.last(inputs[i])
    )
    return [to.emit("MatMul", [a, b], { name, rank: Math.max(...inputs.map(rankOf)) })]
  }

/** A mean or the like along axes. Opset 18 has the axes of all of them as an input. */
const reduction =
  (op: string): Translation =>
  (operation, to) => {
    const [x] = operation.inputs
    const rank = rankOf(x)
    const keep = flag(operation, "keep_dims")
    const axes = numbersOf(operation, 1).map((axis) => (axis < 0 ? axis + rank : axis))
    // Without height and width, both orders are one.
    const space = axes.length === 2 && axes.includes(1) && axes.includes(2)
    const first = isFirst(x) && (keep || space)
    const along = first ? axes.map((axis) => TO_FIRST.indexOf(axis)) : axes
    return [
      to.emit(op, [first ? to.first(x) : to.last(x), to.integers(along)], {
        name: operation.name,
        rank: keep ? rank : rank - axes.length,
        first: first && keep,
        attributes: { keepdims: keep ? 1 : 0 }
      })
    ]
  }

const softmax: Translation = ({ inputs: [x], name }, to) => [
  to.emit("Softmax", [to.last(x)], { name, rank: rankOf(x), attributes: { axis: -1 } })
]

const sameOrder = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean => a.join() === b.join()

/** Of images between the two orders nothing has to be done. */
const transpose: Translation = (operation: Operation, to) => {
  const [x] = operation.inputs
  const order = numbersOf(operation, 1)
  const turned = (value: Value, first: boolean): ReadonlyArray<Operand> => [{ ...value, first }]
  if (x.kind === "value" && x.first && sameOrder(order, TO_FIRST)) return turned(x, false)
  if (x.kind === "value" && !x.first && sameOrder(order, TO_LAST)) return turned(x, true)
  const rank = rankOf(x)
  if (order.length !== rank) throw refused(operation, "its order does not fit")
  return [to.emit("Transpose", [to.last(x)], { name: operation.name, rank, attributes: { perm: order } })]
}

export const arithmetic: Readonly<Record<string, Translation>> = {
  Abs: unary("Abs"),
  Elu: unary("Elu"),
  Erf: unary("Erf"),
  Exp: unary("Exp"),
  Identity: ({ inputs: [x], name }, to) => [to.emit("Identity", [to.last(x)], { name, rank: rankOf(x) })],
  Log: unary("Log"),
  Neg: unary("Neg"),
  Relu: unary("Relu"),
  Rsqrt: rsqrt,
  Sigmoid: unary("Sigmoid"),
  Softplus: unary("Softplus"),
  Sqrt: unary("Sqrt"),
  Square: square,
  Tanh: unary("Tanh"),
  Cast: cast,
  Add: binary("Add"),
  AddV2: binary("Add"),
  BiasAdd: binary("Add"),
  Maximum: binary("Max"),
  Minimum: binary("Min"),
  Mul: binary("Mul"),
  RealDiv: binary("Div"),
  Sub: binary("Sub"),
  BatchMatMulV2: matMul("adj_x", "adj_y"),
  MatMul: matMul("transpose_a", "transpose_b"),
  Max: reduction("ReduceMax"),
  Mean: reduction("ReduceMean"),
  Min: reduction("ReduceMin"),
  Sum: reduction("ReduceSum"),
  Softmax: softmax,
  Transpose: transpose
}
