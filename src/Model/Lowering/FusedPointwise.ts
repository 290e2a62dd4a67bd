/** Training of a batch normalisation and a 1×1 convolution as one operation, whose gradients then take less. */
import type * as tf from "@tensorflow/tfjs-core"
import { aligned, padTo } from "../../Ops/Alignment.ts"
import { normPointwise, pointwiseNorm } from "../../Ops/Fused.ts"
import { withBatchStatistics } from "../Layer/BatchNorm.ts"
import type { Context, Form, Layer, TrainingContext } from "../Layer/Layer.ts"

type Norm = Extract<Form, { readonly _tag: "BatchNorm" }>

/** `normalised` is the axis of the kernel that has the channels of the map that is normalised. */
const together =
  (op: typeof normPointwise, normalised: 2 | 3) =>
  (conv: string, norm: Norm) =>
  (context: Context, x: tf.Tensor4D): tf.Tensor4D => {
    const own = context.weights[`${conv}.weight`] as tf.Tensor4D
    const kernel = padTo(own, [1, 1, x.shape[3], aligned(own.shape[3])])
    return withBatchStatistics(
      context as TrainingContext,
      norm.name,
      kernel.shape[normalised],
      (tensors, options) => op(x, kernel, tensors, options),
      norm
    )
  }

const normThenPointwise = together(normPointwise, 2)
const pointwiseThenNorm = together(pointwiseNorm, 3)

/** The name of a 1×1 convolution. */
const pointwise = (form: Form | undefined): string | undefined =>
  form?._tag === "Convolution" && form.kernel === 1 && form.stride === 1 ? form.name : undefined

const pairAt = (layers: ReadonlyArray<Layer>, at: number): Layer["apply"] | undefined => {
  const [first, second] = layers.slice(at, at + 2).map(({ form }) => form)
  const [one, other] = [pointwise(first), pointwise(second)]
  if (first?._tag === "BatchNorm" && other !== undefined) return normThenPointwise(other, first)
  if (one !== undefined && second?._tag === "BatchNorm") return pointwiseThenNorm(one, second)
  return undefined
}

/** Layers one after the other in training; of three that could be joined, the first two are. */
export const fused = (layers: ReadonlyArray<Layer>): ReadonlyArray<Layer["apply"]> => {
  const steps: Array<Layer["apply"]> = []
  let at = 0
  while (at < layers.length) {
    const pair = pairAt(layers, at)
    steps.push(pair ?? layers[at].apply)
    at += pair === undefined ? 1 : 2
  }
  return steps
}
