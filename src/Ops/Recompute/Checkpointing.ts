/**
 * Computing again in the backward pass what would have to be kept from the forward pass: Chen, Xu, Zhang, Guestrin,
 * "Training Deep Nets with Sublinear Memory Cost", 2016 (arXiv:1604.06174).
 */

import * as tf from "@tensorflow/tfjs-core"
import { type } from "../../Device/Graph/Attributes.ts"
import { TF } from "../../Device/Library/DataType.ts"
import { recorder } from "../../Device/Trace/Recorder.ts"
import type { Tensors } from "../Gradients.ts"

const TYPES: Readonly<Record<string, number>> = { float32: TF.FLOAT, int32: TF.INT32 }

/** `x`, but not before `other` has been computed. */
export const notBefore = <T extends tf.Tensor>(x: T, other: tf.Tensor): T => {
  const { add, outputOf, tensorOf } = recorder()
  const after = [{ pointer: outputOf(other).output.oper }]
  const { outputs } = add("Identity", [outputOf(x)], [type("T", TYPES[x.dtype])], after)
  return tensorOf(outputs[0]) as T
}

/**
 * What is recomputed: a function of an input and of parameters. Whatever else it starts from (the key of random
 * draws) it must pass through `defer`, which does nothing the first time; the second time it holds the computation
 * back until its gradient is asked for. Auxiliary results are those of the first time.
 */
export type Recomputed<In extends tf.Tensor, Out extends tf.Tensor> = (
  x: In,
  parameters: Tensors,
  defer: <T extends tf.Tensor>(tensor: T) => T
) => { readonly value: Out; readonly auxiliary: Tensors }

/**
 * The value of `f`, of which only the input is kept for its gradient. The computation is recorded twice; TensorFlow
 * would take both for one and keep everything after all, if the second did not start from an input of its own that
 * waits for the gradient of the result.
 */
export const recompute = <In extends tf.Tensor, Out extends tf.Tensor>(
  f: Recomputed<In, Out>,
  x: In,
  parameters: Tensors
): { readonly value: Out; readonly auxiliary: Tensors } => {
  const { keep } = recorder()
  const names = Object.keys(parameters)
  const named = (values: ReadonlyArray<tf.Tensor>): Tensors =>
    Object.fromEntries(names.map((name, i) => [name, values[i]]))
  let auxiliary: Tensors = {}
  const value = tf.customGrad((...args) => {
    const save = args[args.length - 1] as tf.GradSaveFunc
    const [input, ...values] = args.slice(0, -1) as Array<tf.Tensor>
    save([input, ...values])
    const first = f(input as In, named(values), (tensor) => tensor)
    for (const tensor of Object.values(first.auxiliary)) keep(tensor)
    auxiliary = first.auxiliary
    return {
      value: first.value,
      gradFunc: (dy, [input, ...values]) => {
        const defer = <T extends tf.Tensor>(tensor: T): T => notBefore(tensor, dy)
        return gradientsInside(
          (input, ...values) => f(input as In, named(values), defer).value,
          [defer(input), ...values],
          dy
        )
      }
    }
  })(x, ...names.map((name) => parameters[name])) as Out
  return { value, auxiliary }
}

/** Gradients that are taken while others are: tfjs would forget the tape of the outer ones. */
const gradientsInside = (
  f: (...args: Array<tf.Tensor>) => tf.Tensor,
  args: Array<tf.Tensor>,
  dy: tf.Tensor
): Array<tf.Tensor> => {
  const { state } = tf.engine()
  const outer = state.activeTape
  try {
    return tf.grads(f)(args, dy)
  } finally {
    state.activeTape = outer
  }
}
