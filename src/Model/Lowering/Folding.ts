/**
 * Batch normalisation folding. In evaluation a normalisation is linear: a convolution before or after it can do what it
 * would, which saves passes over feature maps.
 */
import * as tf from "@tensorflow/tfjs-core"
import { aligned, padTo } from "../../Ops/Alignment.ts"
import { affine } from "../../Ops/BatchNorm.ts"
import { addBias, conv2d } from "../../Ops/Convolution.ts"
import { tensorNames } from "../Layer/BatchNorm.ts"
import type { Context, Form, Layer } from "../Layer/Layer.ts"

type Convolution = Extract<Form, { readonly _tag: "Convolution" }>
type Norm = Extract<Form, { readonly _tag: "BatchNorm" }>

/** What is done to the value of a convolution and the normalisation after it. */
interface End {
  /** What it is multiplied with. */
  readonly factor: number
  /** What is then added for each channel. */
  readonly added?: Float32Array | undefined
}

export interface FoldOptions {
  /** Whether the input holds ones (see `hasOnes`). */
  readonly ones?: boolean
  /** What the last convolution takes in; only where `endsFolded`. */
  readonly end?: End
}

/** What a normalisation does in evaluation: x ↦ scale·x + offset, [C] each. */
const affineOf = ({ weights }: Context, { epsilon, name }: Norm): ReturnType<typeof affine> => {
  const [scale, offset, mean, variance] = tensorNames(name).map((tensor) => weights[tensor])
  return affine([scale, offset, mean, variance], epsilon)
}

/**
 * The context in which a convolution does what the normalisation before it would. That scales what comes in, which the
 * kernel does as well, and moves it, which after a convolution of 1×1 is a move of the next normalisation's mean, and
 * in a larger one is done by ones in the input, which then must have them.
 */
const foldInto = (context: Context, norm: Norm, conv: Convolution, next: Norm): Context => {
  const { weights } = context
  const { offset, scale } = affineOf(context, norm)
  const name = `${conv.name}.weight`
  const [, , mean] = tensorNames(next.name)
  const kernel = weights[name] as tf.Tensor4D
  const [size, , channels, out] = kernel.shape
  const column = [channels, 1]
  const scaled = tf.mul<tf.Tensor4D>(kernel, tf.reshape(scale, column))
  const moving = tf.sum<tf.Tensor4D>(tf.mul(kernel, tf.reshape(offset, column)), 2, true)
  if (size === 1) {
    const moved = tf.sub(weights[mean], tf.reshape(moving, [out]))
    return { ...context, weights: { ...weights, [name]: scaled, [mean]: moved } }
  }
  const between = tf.zeros<tf.Rank.R4>([size, size, aligned(channels) - channels - 1, out])
  return { ...context, weights: { ...weights, [name]: tf.concat([scaled, between, moving], 2) } }
}

/**
 * A convolution and the normalisation after it: the kernel does what the normalisation multiplies with, and a bias is
 * what it adds. TensorFlow makes them one operation with a ReLU or a sum with another map that follows.
 * [N,H,W,C] → [N,H,W,O], padded.
 */
const convThenNorm = (
  context: Context,
  { name, stride }: Convolution,
  norm: Norm,
  x: tf.Tensor4D,
  { added, factor }: End = { factor: 1 }
): tf.Tensor4D => {
  const { offset, scale } = affineOf(context, norm)
  const times = (value: tf.Tensor): tf.Tensor => (factor === 1 ? value : tf.mul(value, factor))
  const kernel = context.weights[`${name}.weight`] as tf.Tensor4D
  const [size, , , out] = kernel.shape
  const scaled = padTo(tf.mul<tf.Tensor4D>(kernel, times(scale)), [size, size, x.shape[3], aligned(out)])
  const bias = padTo(times(offset), [aligned(out)])
  const value = conv2d(x, scaled, stride, (size - 1) / 2)
  return addBias(value, added === undefined ? bias : tf.add(bias, tf.tensor1d(added)))
}

/** A convolution with the normalisations on both sides of it. */
type Around = readonly [before: Norm, conv: Convolution, after: Norm]

const aroundAt = (layers: ReadonlyArray<Layer>, at: number): Around | undefined => {
  const [before, conv, after] = layers.slice(at, at + 3).map(({ form }) => form)
  return before?._tag === "BatchNorm" && conv?._tag === "Convolution" && after?._tag === "BatchNorm"
    ? [before, conv, after]
    : undefined
}

/** A convolution, the normalisation after it, and how many layers stand between the two. */
interface Pair {
  readonly conv: Convolution
  readonly norm: Norm
  readonly between: ReadonlyArray<Layer>
}

const pairAt = (layers: ReadonlyArray<Layer>, at: number): Pair | undefined => {
  const [conv, second, third] = layers.slice(at, at + 3).map(({ form }) => form)
  if (conv?._tag !== "Convolution") return undefined
  if (second?._tag === "BatchNorm") return { conv, norm: second, between: [] }
  // Max-pooling gives the same before and after a normalisation whose scales are positive, as those are that stay 1.
  return second?._tag === "MaxPool" && third?._tag === "BatchNorm" && !third.trainedScale
    ? { conv, norm: third, between: [layers[at + 1]] }
    : undefined
}

/** Whether a convolution and the normalisation after it are the last two layers. */
export const endsFolded = (layers: ReadonlyArray<Layer>): boolean =>
  pairAt(layers, layers.length - 2) !== undefined

/** Whether the first normalisation can be folded into the convolution after it only where the input holds ones. */
export const wantsOnes = (layers: ReadonlyArray<Layer>): boolean => {
  const around = aroundAt(layers, 0)
  return around !== undefined && around[1].kernel > 1
}

/** Whether the first of two layers is to have its output hold ones for the second. */
const passOnes = (first: Form | undefined, second: Form | undefined): boolean =>
  first?._tag === "Residual" && first.givesOnes && second?._tag === "Residual" && second.wantsOnes

/** Layers one after the other in evaluation, with normalisations in the convolutions beside them. */
export const folded = (
  layers: ReadonlyArray<Layer>,
  { end, ones = false }: FoldOptions = {}
): ReadonlyArray<Layer["apply"]> => {
  const steps: Array<Layer["apply"]> = []
  let at = 0
  while (at < layers.length) {
    const { apply, form } = layers[at]
    const around = aroundAt(layers, at)
    const pair = pairAt(layers, at)
    if (around !== undefined && (around[1].kernel === 1 || (at === 0 && ones))) {
      const [before, conv, after] = around
      at += 3
      const last = at === layers.length ? end : undefined
      steps.push((context, x) => convThenNorm(foldInto(context, before, conv, after), conv, after, x, last))
    } else if (pair !== undefined) {
      const { between, conv, norm } = pair
      at += 2 + between.length
      const last = at === layers.length ? end : undefined
      steps.push((context, x) => convThenNorm(context, conv, norm, x, last))
      steps.push(...between.map((layer) => layer.apply))
    } else if (form?._tag === "Residual") {
      const from = passOnes(layers[at - 1]?.form, form)
      const to = passOnes(form, layers[at + 1]?.form)
      steps.push((context, x) => form.evaluate(context, x, { from, to }))
      at++
    } else {
      steps.push(apply)
      at++
    }
  }
  return steps
}
