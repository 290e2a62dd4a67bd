/**
 * Writes an ONNX graph node by node. Images are [N,H,W,C] in TensorFlow and [N,C,H,W] in ONNX: a value says in which
 * of the two orders its axes stand, and is transposed only where an operation needs the other.
 */
import type { Constant } from "../../Device/Graph/GraphDef.ts"
import { TF } from "../../Device/Library/DataType.ts"
import { type Attributes, type Initializer, ONNX, type OnnxNode } from "./Messages.ts"
import { permuted } from "./Permute.ts"

/** The result of a node, or an input of the graph. */
export interface Value {
  readonly kind: "value"
  readonly name: string
  readonly rank: number
  /** Whether channels stand before height and width; only of four axes. */
  readonly first: boolean
}

/** A constant, which is written where it is used, in the form that is wanted there. */
export interface Fixed {
  readonly kind: "constant"
  readonly name: string
  readonly constant: Constant
}

export type Operand = Value | Fixed

export const rankOf = (operand: Operand): number =>
  operand.kind === "value" ? operand.rank : operand.constant.shape.length

/** Axes of [N,H,W,C] in the order [N,C,H,W], and back. */
export const TO_FIRST = [0, 3, 1, 2]
export const TO_LAST = [0, 2, 3, 1]

const ELEMENT: Readonly<Record<number, number>> = { [TF.FLOAT]: ONNX.FLOAT, [TF.INT32]: ONNX.INT32 }

export class Builder {
  readonly nodes: Array<OnnxNode> = []
  readonly initializers = new Map<string, Initializer>()
  private readonly turned = new Set<string>()

  /** Adds a node whose result has its name. */
  emit(
    op: string,
    inputs: ReadonlyArray<string>,
    {
      attributes = {},
      first = false,
      name,
      rank
    }: Omit<Value, "kind" | "first"> & {
      readonly first?: boolean
      readonly attributes?: Attributes
    }
  ): Value {
    this.nodes.push({ name, op, inputs, output: name, attributes })
    return { kind: "value", name, rank, first }
  }

  private initializer(entry: Initializer): string {
    if (!this.initializers.has(entry.name)) this.initializers.set(entry.name, entry)
    return entry.name
  }

  /** A constant with its axes in another order. */
  constant({ constant, name }: Fixed, order?: ReadonlyArray<number>): string {
    const { data, dtype, shape } = order === undefined ? constant : permuted(constant, order)
    const named = order === undefined ? name : `${name}/${order.join("")}`
    return this.initializer({ name: named, dtype: ELEMENT[dtype], shape, data })
  }

  /** A list of integers, as axes and shapes are given. */
  integers(values: ReadonlyArray<number | bigint>): string {
    const data = BigInt64Array.from(values, BigInt)
    return this.initializer({
      name: `integers/${values.join(",")}`,
      dtype: ONNX.INT64,
      shape: [data.length],
      data
    })
  }

  /** A single number. */
  scalar(value: number): string {
    return this.initializer({
      name: `number/${value}`,
      dtype: ONNX.FLOAT,
      shape: [],
      data: Float32Array.of(value)
    })
  }

  integer(value: number): string {
    const data = BigInt64Array.of(BigInt(value))
    return this.initializer({ name: `integer/${value}`, dtype: ONNX.INT64, shape: [], data })
  }

  private turn({ name, rank }: Value, order: ReadonlyArray<number>): string {
    const to = `${name}/${order === TO_FIRST ? "channelsFirst" : "channelsLast"}`
    if (!this.turned.has(to)) this.emit("Transpose", [name], { name: to, rank, attributes: { perm: order } })
    this.turned.add(to)
    return to
  }

  /** With the axes as in TensorFlow. */
  last(operand: Operand): string {
    if (operand.kind === "constant") return this.constant(operand)
    return operand.first ? this.turn(operand, TO_LAST) : operand.name
  }

  /** An operand of four axes, or a constant that is spread over them, with channels before height and width. */
  first(operand: Operand): string {
    if (operand.kind === "value") return operand.first ? operand.name : this.turn(operand, TO_FIRST)
    const { constant } = operand
    const { length } = constant.shape
    if (length === 0) return this.constant(operand)
    const shape = [...Array.from({ length: 4 - length }, () => 1), ...constant.shape]
    return this.constant({ ...operand, constant: { ...constant, shape } }, TO_FIRST)
  }
}
