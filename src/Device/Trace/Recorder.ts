/**
 * The door between tfjs programs and the graph that is being traced. Ops that tfjs does not have are recorded
 * through it; it is open only while a program is traced.
 */
import type { Tensor } from "@tensorflow/tfjs-core"
import { TraceError } from "../Errors.ts"
import type { Graph } from "../Graph/Graph.ts"
import type { Attribute, GraphTensor, Input, Operation } from "../Graph/Types.ts"

export interface Recorder {
  /** Where the program is to run. */
  readonly placement: Graph["placement"]
  /** What its convolutions and products are to compute in. */
  readonly precision: Graph["precision"]
  /** Records a TensorFlow operation on traced tensors and gives its outputs. */
  readonly record: (
    type: string,
    inputs: ReadonlyArray<Tensor>,
    attributes: ReadonlyArray<Attribute>
  ) => ReadonlyArray<Tensor>
  /** Adds an operation below tfjs's level, for instance on a variable's handle. */
  readonly add: (
    type: string,
    inputs: ReadonlyArray<Input>,
    attributes: ReadonlyArray<Attribute>,
    controls: ReadonlyArray<Pick<Operation, "pointer">>
  ) => Operation
  /** The graph's value behind a tensor, and the other way round. */
  readonly outputOf: (tensor: Tensor) => GraphTensor
  readonly tensorOf: (value: GraphTensor) => Tensor
  /** A tensor of a type and shape that is added to the graph only if something uses it. */
  readonly tensorOnceUsed: (like: Pick<GraphTensor, "dtype" | "shape">, make: () => GraphTensor) => Tensor
  /** The variable whose value a tensor of the program's state is. */
  readonly variableOf: (tensor: Tensor) => Variable | undefined
  /** Says that `tensor` is what `variable` holds after `update` has run. */
  readonly updated: (variable: Variable, tensor: Tensor, update: Operation) => void
  /** Keeps a tensor alive to the end of the trace, beyond the tfjs scope in which it was made. */
  readonly keep: <T extends Tensor>(tensor: T) => T
}

/** A named variable on the device, as one entry point sees it. */
export interface Variable {
  readonly name: string
  readonly handle: GraphTensor
  /** The operation that reads the variable's value at the start of the entry point. */
  readonly read: Operation
}

let active: Recorder | undefined

/** The recorder of the trace that is under way. Throws a `TraceError` when there is none. */
export const recorder = (): Recorder => {
  if (active === undefined) {
    throw new TraceError({
      reason: "OtherProgram",
      message: "this op works only inside a program given to Device.compile, and none is being traced"
    })
  }
  return active
}

/** Runs `f` with `recorder()` answering `next`. */
export const withRecorder = <A>(next: Recorder, f: () => A): A => {
  const before = active
  active = next
  try {
    return f()
  } finally {
    active = before
  }
}
