/** Conditional execution (`tf.cond`): what is not needed is not computed. */
import type { Tensor } from "@tensorflow/tfjs-core"
import { int, type } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"

/**
 * `values`, or where `predicate` holds what `otherwise` makes of `inputs`, of the same shapes. Each value that `otherwise`
 * gives has to depend on one of `inputs`, and then takes no time while the predicate does not hold. By TensorFlow's
 * Switch and Merge. Not differentiable. predicate [] of type bool.
 */
export const unless = <Values extends ReadonlyArray<Tensor>>(
  predicate: Tensor,
  values: Values,
  inputs: ReadonlyArray<Tensor>,
  otherwise: (inputs: ReadonlyArray<Tensor>) => Values
): Values => {
  const { add, outputOf, record, tensorOf } = recorder()
  const element = (tensor: Tensor) => type("T", outputOf(tensor).dtype)
  const branches = (tensor: Tensor) => record("Switch", [tensor, predicate], [element(tensor)])
  const others = otherwise(inputs.map((tensor) => branches(tensor)[1]))
  return values.map((value, i) => {
    const either = [outputOf(branches(value)[0]), outputOf(others[i])]
    return tensorOf(add("Merge", [either], [element(value), int("N", 2)], []).outputs[0])
  }) as ReadonlyArray<Tensor> as Values
}
