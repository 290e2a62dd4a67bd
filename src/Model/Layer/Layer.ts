/**
 * Layers as plain values: what tensors they own (by their PyTorch names), what they cost, and a pure function
 * of weights and input. Images are NHWC; convolution kernels are [height, width, in, out].
 */
import type * as tf from "@tensorflow/tfjs-core"
import type { Replicas } from "../../Ops/Collective.ts"
import type { RandomKey } from "../../Ops/Random.ts"
import { type Draws, draws } from "../../Random.ts"
import { float32, sizeOf, type TensorRecord } from "../../Tensor/HostTensor.ts"

/** Writes the start of a tensor's elements, in device layout; they are zeros before. */
export type Initial = (random: Draws, values: Float32Array) => void

/**
 * What a tensor is for, as layers declare it: the kernel of a convolution, the matrix of a linear layer, a normalisation's
 * scale or running statistic, what is added (biases, and offsets of normalisations), or values that are learnt as they
 * are (positions, a class token). Optimisers, PyTorch's layouts and fine-tuning go by it.
 */
export const TENSOR_KINDS = ["conv", "linear", "norm", "bias", "embedding"] as const
export type TensorKind = (typeof TENSOR_KINDS)[number]

/** A tensor that a model owns. */
export interface TensorSpec {
  readonly name: string
  readonly kind: TensorKind
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
  /** Those whose images a normalisation takes its statistics from; its own alone unless given. */
  readonly synchronised?: Replicas | undefined
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
  /** What it is, where it can be joined with the layers beside it (see `sequential`). */
  readonly form?: Form
}

/** Whether a feature map holds ones in the last channel of those that it is padded with, before and after a block. */
export interface Ones {
  readonly from: boolean
  readonly to: boolean
}

/** The layers that are known to those that join them. */
export type Form =
  | {
      /** Without bias, and padded by half its kernel. */
      readonly _tag: "Convolution"
      readonly name: string
      readonly kernel: number
      readonly stride: number
    }
  | {
      readonly _tag: "BatchNorm"
      readonly name: string
      readonly momentum: number
      readonly epsilon: number
      readonly trainedScale: boolean
    }
  | { readonly _tag: "MaxPool" }
  | { readonly _tag: "Sequence"; readonly layers: ReadonlyArray<Layer> }
  | {
      readonly _tag: "Residual"
      /** Whether evaluation can use ones in its input. */
      readonly wantsOnes: boolean
      /** Whether evaluation can have its output hold ones. */
      readonly givesOnes: boolean
      readonly evaluate: (context: Context, x: tf.Tensor4D, ones: Ones) => tf.Tensor4D
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

export interface Size {
  readonly height: number
  readonly width: number
}

/** Height and width after a stride of two (rounded up, as padded convolutions and ceil-mode pooling do). */
export const halve = ({ height, width }: Size): Size => ({
  height: Math.ceil(height / 2),
  width: Math.ceil(width / 2)
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
