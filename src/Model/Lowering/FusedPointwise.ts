/** Training of a batch normalisation and a 1×1 convolution together, whose gradients then take less. */
import type * as tf from "@tensorflow/tfjs-core"
import { normPointwise } from "../../Ops/Fused/NormThenPointwise.ts"
import { pointwiseNorm } from "../../Ops/Fused/PointwiseThenNorm.ts"
import { withBatchStatistics } from "../Layer/BatchNorm.ts"
import { aligned, padTo, type TrainingContext } from "../Layer/Layer.ts"

/** Applies the two layers of those names: [N,H,W,C] → [N,H,W,O], padded. */
type Together = (
  context: TrainingContext,
  names: { readonly norm: string; readonly conv: string },
  x: tf.Tensor4D
) => tf.Tensor4D

/** `normalised` is the axis of the kernel that has the channels of the map that is normalised. */
const together =
  (op: typeof normPointwise, normalised: 2 | 3): Together =>
  (context, { conv, norm }, x) => {
    const own = context.weights[`${conv}.weight`] as tf.Tensor4D
    const kernel = padTo(own, [1, 1, x.shape[3], aligned(own.shape[3])])
    return withBatchStatistics(context, norm, kernel.shape[normalised], (tensors, options) =>
      op(x, kernel, tensors, options)
    )
  }

/** Batch normalisation, then a convolution without bias. */
export const normThenPointwise = together(normPointwise, 2)

/** A convolution without bias, then batch normalisation. */
export const pointwiseThenNorm = together(pointwiseNorm, 3)
