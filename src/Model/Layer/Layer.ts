/**
 * Layers as plain values: what tensors they own (by their PyTorch names), what they cost, and a pure function
 * of weights and input. Images are NHWC; convolution kernels are [height, width, in, out].
 *
 * Between layers, feature maps carry channels of zeros after their own, up to a multiple of eight: with a whole
 * number of vectors in each pixel normalisation is up to nine times as fast (see `aligned`). The weights that
 * are stored and trained have no such channels.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { RandomKey } from "../../Ops/Random.ts"
import { cheap } from "../../Ops/Rematerialise.ts"
import { type Draws, draws } from "../../Random.ts"
import { float32, sizeOf, type TensorRecord } from "../../Tensor/HostTensor.ts"

/** Writes the start of a tensor's elements, in device layout; they are zeros before. */
export type Initial = (random: Draws, values: Float32Array) => void

/** A tensor that a model owns. */
export interface TensorSpec {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  /** Parameters are trained, statistics are moved along by the forward pass, constants stay as they start. */
  readonly role: "parameter" | "statistic" | "constant"
  readonly initial: Initial
}

export type Weights = Readonly<Record<string, tf.Tensor>>

/** Uses batch statistics and draws. */
export interface Training {
  readonly _tag: "Training"
  readonly key: RandomKey
  /** How far running statistics move towards a batch's, in place of what each normalisation has. */
  readonly momentum?: number
  /** Whether blocks are computed again in the backward pass, in place of keeping what they computed. */
  readonly recompute?: boolean
}

/** Evaluation uses running statistics and expectations. */
export type Mode = Training | { readonly _tag: "Evaluation" }

/** What a layer is applied in: the weights, the mode, and where new statistics are put. */
export interface Context {
  readonly weights: Weights
  readonly mode: Mode
  readonly statistics: Record<string, tf.Tensor>
}

export interface TrainingContext extends Context {
  readonly mode: Training
}

export const isTraining = (context: Context): context is TrainingContext => context.mode._tag === "Training"

export interface Layer<In extends tf.Tensor = tf.Tensor4D, Out extends tf.Tensor = tf.Tensor4D> {
  readonly tensors: ReadonlyArray<TensorSpec>
  /** Multiply-adds of one image's forward pass, in convolutions and matrix products. */
  readonly multiplyAdds: number
  readonly apply: (context: Context, x: In) => Out
}

/** Starting values for tensors, each keyed by (seed, its name) and so independent of the others. */
export const initialise = (specs: ReadonlyArray<TensorSpec>, seed: number): TensorRecord =>
  Object.fromEntries(
    specs.map(({ initial, name, shape }) => {
      const values = new Float32Array(sizeOf(shape))
      initial(draws(seed, `init/${name}`), values)
      return [name, float32(shape, values)]
    })
  )

export const constant =
  (value: number): Initial =>
  (_, values) =>
    values.fill(value)

export const normal =
  (deviation: number): Initial =>
  (random, values) => {
    for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal()
  }

/** Uniform in ±bound. */
export const uniform =
  (bound: number): Initial =>
  (random, values) => {
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random.uniform() - 1)
  }

/** Channels that a feature map of that many is given. */
export const aligned = (channels: number): number => 8 * Math.ceil(channels / 8)

/** Zeros after a tensor's own values, up to the given sizes. */
export const padTo = <T extends tf.Tensor>(x: T, shape: ReadonlyArray<number>): T =>
  x.shape.every((size, i) => size === shape[i])
    ? x
    : (tf.pad(
        x,
        x.shape.map((size, i): [number, number] => [0, shape[i] - size])
      ) as T)

/** Zero channels after a feature map's own, up to what that many channels are given. */
export const padChannels = (x: tf.Tensor4D, channels: number): tf.Tensor4D => {
  const pad = (x: tf.Tensor): tf.Tensor => padTo(x, [...x.shape.slice(0, 3), aligned(channels)])
  const value = pad(x) as tf.Tensor4D
  return value === x ? x : cheap(value, [x], pad)
}

export interface Size {
  readonly height: number
  readonly width: number
}

/** Height and width after a stride of two (rounded up, as padded convolutions and ceil-mode pooling do). */
export const halve = ({ height, width }: Size): Size => ({
  height: Math.ceil(height / 2),
  width: Math.ceil(width / 2)
})

/** Layers one after the other. */
export const sequential = (layers: ReadonlyArray<Layer>): Layer => ({
  ...cost(layers),
  apply: (context, x) => layers.reduce((value, layer) => layer.apply(context, value), x)
})

/** The tensors and the multiply-adds of layers together. */
export const cost = (
  layers: ReadonlyArray<Pick<Layer, "tensors" | "multiplyAdds">>
): Pick<Layer, "tensors" | "multiplyAdds"> => ({
  tensors: layers.flatMap((layer) => layer.tensors),
  multiplyAdds: layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0)
})

/** A layer without weights. */
export const stateless = (f: (x: tf.Tensor4D) => tf.Tensor4D): Layer => ({
  tensors: [],
  multiplyAdds: 0,
  apply: (_, x) => f(x)
})
