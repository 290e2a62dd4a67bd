/** A variable on the device: a value that stays there from one run to the next. */
import { shape as shapeOf, string, type } from "./Attributes.ts"
import type { GraphTensor, Insert, Operation } from "./Types.ts"

/** The type and shape of its values, and the name under which a session knows it. */
export interface VariableSpec {
  readonly name: string
  readonly dtype: number
  readonly shape: ReadonlyArray<number>
}

/** A variable's handle, and what adds operations that read it and that replace its value. */
export const newVariable = (insert: Insert, { dtype, name, shape }: VariableSpec) => {
  const element = type("dtype", dtype)
  const attributes = [element, shapeOf("shape", shape), string("shared_name", name)]
  const handle = insert("VarHandleOp", [], attributes, []).outputs[0]
  return {
    handle,
    read: (): Operation => insert("ReadVariableOp", [handle], [element], []),
    /** `after` are operations that must have run before. */
    assign: (value: GraphTensor, after: ReadonlyArray<Operation> = []): Operation =>
      insert("AssignVariableOp", [handle, value], [element], after)
  }
}
