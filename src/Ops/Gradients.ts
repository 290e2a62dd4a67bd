/** Gradients: of traced programs (`jax.value_and_grad`), and of operations with a rule of their own (`jax.custom_vjp`). */
import * as tf from "@tensorflow/tfjs-core"
import { recorder } from "../Device/Trace/Recorder.ts"

export type { Tensors } from "../Device/Trace/EntryPoint.ts"

/** A loss, what else the forward pass gave, and the loss's gradient by parameter. */
export interface ValueAndGradients<Aux> {
  readonly loss: tf.Scalar
  readonly auxiliary: Aux
  readonly gradients: Readonly<Record<string, tf.Tensor>>
}

/**
 * Reverse-mode gradients of a scalar loss for named parameters, with auxiliary results that stay usable (as
 * `jax.value_and_grad(..., has_aux=True)`).
 */
export const valueAndGradients = <Aux extends Readonly<Record<string, tf.Tensor>>>(
  f: () => { readonly loss: tf.Scalar; readonly auxiliary: Aux },
  parameters: Readonly<Record<string, tf.Tensor>>
): ValueAndGradients<Aux> => {
  const { keep } = recorder()
  const names = Object.keys(parameters)
  let auxiliary: Aux | undefined
  const { value, grads } = tf.valueAndGrads((..._: Array<tf.Tensor>) => {
    const result = f()
    for (const tensor of Object.values(result.auxiliary)) keep(tensor)
    auxiliary = result.auxiliary
    return result.loss
  })(names.map((name) => parameters[name]))
  const gradients: Record<string, tf.Tensor> = {}
  names.forEach((name, i) => {
    gradients[name] = grads[i]
  })
  return { loss: value as tf.Scalar, auxiliary: auxiliary!, gradients }
}

/**
 * An operation with a gradient of its own (`torch.autograd.Function`): `gradient` is given dy and what `forward` saved,
 * and gives one result for each input.
 */
export const differentiable = (
  inputs: ReadonlyArray<tf.Tensor>,
  forward: (save: (tensors: Array<tf.Tensor>) => void) => tf.Tensor,
  gradient: (dy: tf.Tensor, saved: Array<tf.Tensor>) => Array<tf.Tensor>
): tf.Tensor =>
  tf.customGrad((...args) => ({
    value: forward(args[args.length - 1] as tf.GradSaveFunc),
    gradFunc: gradient
  }))(...inputs)
