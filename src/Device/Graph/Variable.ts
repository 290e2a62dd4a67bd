/** A variable on the device: a value that stays there from one run to the next. */
import type { Insert } from "./Autocast.ts"
import type { GraphTensor, Operation } from "./Graph.ts"

/** The type and shape of its values, and the name under which a session knows it. */
export interface VariableSpec {
  readonly name: string
  readonly dtype: number
  readonly shape: ReadonlyArray<number>
}

/** Its handle, and what adds operations that read it and that replace its value. */
export const newVariable = (insert: Insert, { dtype, name, shape }: VariableSpec) => {
  const type = { kind: "type", name: "dtype", value: dtype } as const
  const handle = insert(
    "VarHandleOp",
    [],
    [
      type,
      { kind: "shape", name: "shape", value: shape },
      { kind: "string", name: "shared_name", value: name }
    ],
    []
  ).outputs[0]
  return {
    handle,
    read: (): Operation => insert("ReadVariableOp", [handle], [type], []),
    /** `after` are operations that must have run before. */
    assign: (value: GraphTensor, after: ReadonlyArray<Operation> = []): Operation =>
      insert("AssignVariableOp", [handle, value], [type], after)
  }
}
