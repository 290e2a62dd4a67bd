/**
 * Layers as plain values: what tensors they own (by their PyTorch names), what they cost, and a pure function
 * of weights and input. Images are NHWC; convolution kernels are [height, width, in, out].
 *
 * Between layers, feature maps carry channels of zeros after their own, up to a multiple of eight: with a whole
 * number of vectors in each pixel normalisation is up to nine times as fast (see `aligned`). The weights that
 * are stored and trained have no such channels.
 */
import * as tf from "@tensorflow/tfjs-core"
import { batchNormInference, batchNormTraining, conv2d as convolve } from "../Device/Ops.ts"
import type { RandomKey } from "../Device/RandomOps.ts"
import { type Draws, draws } from "../Random.ts"
import { float32, sizeOf, type TensorRecord } from "../Tensor.ts"

/** A tensor that a model owns. Parameters are trained; statistics are moved along by the forward pass. */
export interface TensorSpec {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly role: "parameter" | "statistic"
  /** The value of one element at the start. */
  readonly initial: (random: Draws) => number
}

export type Weights = Readonly<Record<string, tf.Tensor>>

/** Training uses batch statistics and draws; evaluation uses running statistics and expectations. */
export type Mode = { readonly _tag: "Training"; readonly key: RandomKey } | { readonly _tag: "Evaluation" }

/** What a layer is applied in: the weights, the mode, and where new statistics are put. */
export interface Context {
  readonly weights: Weights
  readonly mode: Mode
  readonly statistics: Record<string, tf.Tensor>
}

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
      const random = draws(seed, `init/${name}`)
      return [
        name,
        float32(
          shape,
          Float32Array.from({ length: sizeOf(shape) }, () => initial(random))
        )
      ]
    })
  )

const constant = (value: number) => (): number => value

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

export interface ConvOptions {
  readonly in: number
  readonly out: number
  /** Height and width of the kernel; an odd number. */
  readonly kernel: number
  readonly stride?: number
  /** Height and width of the layer's output. */
  readonly size: Size
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

/**
 * Convolution without bias, padded by half the kernel. Weights start normal with variance 2 / fan-out
 * (He et al. 2015, "Delving Deep into Rectifiers", eq. 14).
 */
export const conv = (name: string, options: ConvOptions): Layer => {
  const { in: inputs, kernel, out, size, stride = 1 } = options
  const deviation = Math.sqrt(2 / (kernel * kernel * out))
  const weight = `${name}.weight`
  return {
    tensors: [
      {
        name: weight,
        shape: [kernel, kernel, inputs, out],
        role: "parameter",
        initial: (random) => deviation * random.normal()
      }
    ],
    multiplyAdds: size.height * size.width * kernel * kernel * inputs * out,
    apply: ({ weights }, x) => {
      const padded = padTo(weights[weight] as tf.Tensor4D, [kernel, kernel, x.shape[3], aligned(out)])
      return convolve(x, padded, stride, (kernel - 1) / 2)
    }
  }
}

/** PyTorch's defaults, which all published results of these networks use. */
const BATCH_NORM = { momentum: 0.1, epsilon: 1e-5 }

/** The first `count` values of a vector. */
const firstOf = (x: tf.Tensor1D, count: number): tf.Tensor1D =>
  x.shape[0] === count ? x : tf.slice(x, 0, count)

/** Batch normalisation over N, H and W. */
export const batchNorm = (name: string, channels: number): Layer => {
  const names = ["weight", "bias", "running_mean", "running_var"].map((part) => `${name}.${part}`)
  const [, , mean, variance] = names
  return {
    tensors: names.map((tensor, i) => ({
      name: tensor,
      shape: [channels],
      role: i < 2 ? "parameter" : "statistic",
      initial: constant(i % 3 === 0 ? 1 : 0)
    })),
    multiplyAdds: 0,
    apply: ({ mode, statistics, weights }, x) => {
      const [w, b, m, v] = names.map((tensor) => padTo(weights[tensor], [x.shape[3]]))
      if (mode._tag === "Evaluation") return batchNormInference(x, w, b, m, v, BATCH_NORM.epsilon)
      const result = batchNormTraining(x, w, b, m, v, BATCH_NORM)
      statistics[mean] = firstOf(result.mean, channels)
      statistics[variance] = firstOf(result.variance, channels)
      return result.value
    }
  }
}

/** Fully connected layer, weights [out, in]; starts uniform in ±1/√in, as PyTorch's does. */
export const linear = (name: string, inputs: number, out: number): Layer<tf.Tensor2D, tf.Tensor2D> => {
  const bound = 1 / Math.sqrt(inputs)
  const initial = (random: Draws): number => bound * (2 * random.uniform() - 1)
  const weight = `${name}.weight`
  const bias = `${name}.bias`
  return {
    tensors: [
      { name: weight, shape: [out, inputs], role: "parameter", initial },
      { name: bias, shape: [out], role: "parameter", initial }
    ],
    multiplyAdds: inputs * out,
    apply: ({ weights }, x) =>
      tf.add(tf.matMul(x, weights[weight] as tf.Tensor2D, false, true), weights[bias])
  }
}

/** Mean over height and width of the first `channels` channels: [N,H,W,C] → [N,channels]. */
export const globalAveragePool = (x: tf.Tensor4D, channels: number): tf.Tensor2D => {
  const mean = tf.mean<tf.Tensor2D>(x, [1, 2])
  return x.shape[3] === channels ? mean : tf.slice(mean, [0, 0], [-1, channels])
}

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
