/** A node of TensorFlow's that is to be written as ONNX: its operands and what is set of it. */
import { type AttributeValue, decodeAttribute, type Node } from "../../Device/Graph/GraphDef.ts"
import { textOf } from "../../Device/Graph/Protobuf.ts"
import { ExportError } from "../Errors.ts"
import type { Builder, Operand } from "./Builder.ts"

export interface Operation {
  readonly name: string
  readonly op: string
  readonly inputs: ReadonlyArray<Operand>
  readonly attributes: Node["attributes"]
}

/** Writes an operation and gives its results. */
export type Translation = (operation: Operation, to: Builder) => ReadonlyArray<Operand>

export const refused = ({ name, op }: Pick<Operation, "name" | "op">, why: string): ExportError =>
  new ExportError({
    reason: "Operation",
    message: `the operation ${op} (${name}) cannot be written as ONNX: ${why}`
  })

const attribute = (operation: Operation, name: string): AttributeValue["value"] | undefined => {
  const value = operation.attributes[name]
  return value === undefined ? undefined : decodeAttribute(value).value
}

export const flag = (operation: Operation, name: string): boolean => attribute(operation, name) === true

export const decimal = (operation: Operation, name: string): number => attribute(operation, name) as number

export const word = (operation: Operation, name: string): string =>
  textOf((attribute(operation, name) as Uint8Array | undefined) ?? new Uint8Array())

export const list = (operation: Operation, name: string): ReadonlyArray<number> => {
  const values = (attribute(operation, name) ?? []) as ReadonlyArray<AttributeValue>
  return values.map(({ value }) => value as number)
}

/** The numbers of an operand that says how to compute, as axes or a shape. */
export const numbersOf = (operation: Operation, index: number): ReadonlyArray<number> => {
  const operand = operation.inputs[index]
  if (operand?.kind !== "constant") throw refused(operation, "it is told by a computed value what to do")
  return [...operand.constant.data]
}
