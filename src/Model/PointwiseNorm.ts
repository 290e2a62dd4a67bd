/** Training of a batch normalisation and a 1×1 convolution together, whose gradients then take less. */
import type * as tf from "@tensorflow/tfjs-core"
import { normPointwise, pointwiseNorm } from "../Device/PointwiseNorm.ts"
import { withBatchStatistics } from "./BatchNorm.ts"
import { aligned, padTo, type TrainingContext } from "./Layer.ts"

/** Names of the two layers. */
export interface PointwiseNormNames {
  readonly norm: string
  readonly conv: string
}

const kernelFor = ({ weights }: TrainingContext, conv: string, inputs: number): tf.Tensor4D => {
  const kernel = weights[`${conv}.weight`] as tf.Tensor4D
  return padTo(kernel, [1, 1, inputs, aligned(kernel.shape[3])])
}

/** Batch normalisation, then a convolution without bias: [N,H,W,C] → [N,H,W,O], padded. */
export const normThenPointwise = (
  context: TrainingContext,
  { conv, norm }: PointwiseNormNames,
  x: tf.Tensor4D
): tf.Tensor4D => {
  const kernel = kernelFor(context, conv, x.shape[3])
  return withBatchStatistics(context, norm, x.shape[3], (tensors, options) =>
    normPointwise(x, tensors, kernel, options)
  )
}

/** A convolution without bias, then batch normalisation: [N,H,W,C] → [N,H,W,O], padded. */
export const pointwiseThenNorm = (
  context: TrainingContext,
  { conv, norm }: PointwiseNormNames,
  x: tf.Tensor4D
): tf.Tensor4D => {
  const kernel = kernelFor(context, conv, x.shape[3])
  return withBatchStatistics(context, norm, kernel.shape[3], (tensors, options) =>
    pointwiseNorm(x, kernel, tensors, options)
  )
}
