/** Operations with a gradient of their own (`torch.autograd.Function`, `jax.custom_vjp`). */
import * as tf from "@tensorflow/tfjs-core"

/** An op with a gradient of its own: `gradient` is given dy and what `forward` saved, one result an input. */
export const differentiable = (
  inputs: ReadonlyArray<tf.Tensor>,
  forward: (save: (tensors: Array<tf.Tensor>) => void) => tf.Tensor,
  gradient: (dy: tf.Tensor, saved: Array<tf.Tensor>) => Array<tf.Tensor>
): tf.Tensor =>
  tf.customGrad((...args) => ({
    value: forward(args[args.length - 1] as tf.GradSaveFunc),
    gradFunc: gradient
  }))(...inputs)
