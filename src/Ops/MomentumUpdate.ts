/** Optimiser steps that change the program's state in place. */
import type * as tf from "@tensorflow/tfjs-core"
import { TraceError } from "../Device/Errors.ts"
import { bool, FLOAT, type } from "../Device/Graph/Attributes.ts"
import { TF } from "../Device/Library/DataType.ts"
import { recorder } from "../Device/Trace/Recorder.ts"

/** New values of a parameter and of its momentum buffer. */
export interface MomentumUpdate {
  readonly parameter: tf.Tensor
  readonly momentum: tf.Tensor
}

/**
 * One step of SGD with momentum, in place: v ← μv + g, then w ← w − η(g + μv) with Nesterov's form, as
 * `torch.optim.SGD` does it. `parameter` and `momentum` must be values of the program's state as the entry
 * point received them, and both results must be returned as the new state.
 */
export const applyMomentum = (
  parameter: tf.Tensor,
  momentum: tf.Tensor,
  gradient: tf.Tensor,
  learningRate: tf.Tensor,
  decay: tf.Tensor
): MomentumUpdate => {
  const { add, keep, outputOf, tensorOnceUsed, updated, variableOf } = recorder()
  const variable = variableOf(parameter)
  const buffer = variableOf(momentum)
  if (variable === undefined || buffer === undefined) {
    throw new TraceError({
      reason: "OtherProgram",
      message: "applyMomentum takes tensors of the program's state, as they were given"
    })
  }
  const update = add(
    "ResourceApplyMomentum",
    [variable.handle, buffer.handle, outputOf(learningRate), outputOf(gradient), outputOf(decay)],
    [FLOAT, bool("use_nesterov", true)],
    [variable.read, buffer.read]
  )
  const dtype = type("dtype", TF.FLOAT)
  const after = ({ handle, read }: typeof variable): tf.Tensor =>
    keep(tensorOnceUsed(read.outputs[0], () => add("ReadVariableOp", [handle], [dtype], [update]).outputs[0]))
  const result = { parameter: after(variable), momentum: after(buffer) }
  updated(variable, result.parameter, update)
  updated(buffer, result.momentum, update)
  return result
}
