/**
 * Differentiable ops for traced programs that tfjs composes of many passes over memory and TensorFlow does in
 * one. All images are NHWC and float32.
 */
import * as tf from "@tensorflow/tfjs-core"
import { FLOAT, float, ints, normalisation, type Padding, string, windowed } from "./Attributes.ts"
import { recorder } from "./Recorder.ts"
import { cheap, deferred, forGradient, isCheap } from "./Rematerialise.ts"

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

/**
 * 2-d convolution (cross-correlation) with PyTorch's padding: `padding` zeros on each side, also where
 * TensorFlow's "SAME" would pad the right and bottom only (stride 2).
 * x [N,H,W,C], kernel [kh,kw,C,O] → [N,H',W',O].
 */
export const conv2d = (x: tf.Tensor4D, kernel: tf.Tensor4D, stride: number, padding: number): tf.Tensor4D => {
  // oneDNN computes gradients for "SAME" and "VALID" only; explicit paddings fall back to kernels that are
  // three to four times slower.
  if (padding === 0) return convolve(x, kernel, stride, "VALID")
  const [height, width] = kernel.shape
  const same = stride === 1 && height === 2 * padding + 1 && width === 2 * padding + 1
  if (same) return convolve(x, kernel, stride, "SAME")
  return convolve(pad(x, padding), kernel, stride, "VALID")
}

const pad = (x: tf.Tensor4D, padding: number): tf.Tensor4D =>
  tf.pad(x, [
    [0, 0],
    [padding, padding],
    [padding, padding],
    [0, 0]
  ])

const convolve = (x: tf.Tensor4D, kernel: tf.Tensor4D, stride: number, padding: Padding): tf.Tensor4D => {
  const attributes = windowed(stride, padding)
  const { record } = recorder()
  return differentiable(
    [x, kernel],
    (save) => {
      save([x, kernel])
      return record("Conv2D", [x, kernel], attributes)[0]
    },
    (dy, [x, kernel]) => [
      record("Conv2DBackpropInput", [tf.tensor1d(x.shape, "int32"), kernel, dy], attributes)[0],
      record(
        "Conv2DBackpropFilter",
        [forGradient(x, dy), tf.tensor1d(kernel.shape, "int32"), dy],
        attributes
      )[0]
    ]
  ) as tf.Tensor4D
}

/** x plus a bias for each channel, which TensorFlow makes a part of a convolution before it. x [N,H,W,C], bias [C]. */
export const addBias = <T extends tf.Tensor>(x: T, bias: tf.Tensor): T =>
  recorder().record("BiasAdd", [x, bias], [FLOAT, string("data_format", "NHWC")])[0] as T

/** Rectifier. Its gradient needs the output only, so nothing else is kept. Any shape. */
export const relu = <T extends tf.Tensor>(x: T): T => {
  const { record } = recorder()
  const rectify = (x: tf.Tensor): tf.Tensor => record("Relu", [x], [FLOAT])[0]
  const value = differentiable(
    [x],
    (save) => {
      const value = rectify(x)
      save([value])
      return value
    },
    (dy, [value]) => [record("ReluGrad", [dy, forGradient(value, dy)], [FLOAT])[0]]
  ) as T
  // Of a value that is kept the ReLU takes no memory beyond its own output, which then is kept in its place.
  return isCheap(x) ? cheap(value, [x], rectify) : value
}

/**
 * The largest value of each channel in windows of that height and width. What it is taken of need not be kept if it is
 * cheap. x [N,H,W,C] → [N,H',W',C].
 */
export const maxPool = (
  x: tf.Tensor4D,
  window: readonly [height: number, width: number],
  stride: number,
  padding: Padding
): tf.Tensor4D => {
  const { record } = recorder()
  const attributes = [...windowed(stride, padding), ints("ksize", [1, ...window, 1])]
  return differentiable(
    [x],
    (save) => {
      const [value] = record("MaxPool", [x], attributes)
      save([x, value])
      return value
    },
    (dy, [x, value]) => [record("MaxPoolGrad", [forGradient(x, dy), value, dy], attributes)[0]]
  ) as tf.Tensor4D
}

/** Running statistics after a batch; the variance is the unbiased one, as in PyTorch. */
export interface RunningStatistics {
  readonly mean: tf.Tensor1D
  readonly variance: tf.Tensor1D
}

export interface BatchNormResult extends RunningStatistics {
  readonly value: tf.Tensor4D
}

/** A normalisation's scale, offset, running mean and running variance, [C] each. */
export type NormTensors = readonly [
  scale: tf.Tensor,
  offset: tf.Tensor,
  runningMean: tf.Tensor,
  runningVariance: tf.Tensor
]

export interface BatchNormOptions {
  /** How far running statistics move towards a batch's. */
  readonly momentum: number
  readonly epsilon: number
}

/** Normalises a map with the statistics of the batch, without a gradient; `reserved` is what that is to be given. */
export const normaliseBatch = (
  x: tf.Tensor,
  tensors: NormTensors,
  { epsilon, momentum }: BatchNormOptions
): {
  readonly value: tf.Tensor
  readonly running: RunningStatistics
  readonly reserved: ReadonlyArray<tf.Tensor>
} => {
  const { keep, record } = recorder()
  const attributes = [...normalisation(epsilon, true), float("exponential_avg_factor", momentum)]
  const [value, mean, variance, ...reserved] = record("FusedBatchNormV3", [x, ...tensors], attributes)
  return {
    value,
    running: { mean: keep(mean as tf.Tensor1D), variance: keep(variance as tf.Tensor1D) },
    reserved
  }
}

/**
 * Batch normalisation with the statistics of the batch (Ioffe and Szegedy 2015), and the running statistics
 * moved towards them: running ← (1 − momentum)·running + momentum·batch. x [N,H,W,C], the others [C].
 */
export const batchNormTraining = (
  x: tf.Tensor4D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  runningMean: tf.Tensor,
  runningVariance: tf.Tensor,
  options: BatchNormOptions
): BatchNormResult => {
  const { keep, placement, record } = recorder()
  let running: RunningStatistics | undefined
  let used: ReadonlyArray<tf.Tensor> = []
  const value = differentiable(
    [x, scale, offset],
    (save) => {
      const normalised = normaliseBatch(x, [scale, offset, runningMean, runningVariance], options)
      running = normalised.running
      used = normalised.reserved.slice(0, 2).map(keep)
      save([x, scale, ...normalised.reserved])
      return normalised.value
    },
    (dy, [x, scale, ...reserved]) =>
      record(
        "FusedBatchNormGradV3",
        [dy, forGradient(x, dy), scale, ...reserved],
        normalisation(options.epsilon, true)
      ).slice(0, 3)
  ) as tf.Tensor4D
  // On a CPU TensorFlow reserves mean and variance of the batch, on a GPU what cuDNN likes better.
  const again = (...inputs: Array<tf.Tensor>): tf.Tensor =>
    record("FusedBatchNormV3", inputs, normalisation(options.epsilon, false))[0]
  return {
    value: placement === "Cpu" ? cheap(value, [x, scale, offset, ...used], again) : value,
    ...running!
  }
}

/** Batch normalisation with given statistics, for evaluation. Not differentiable. x [N,H,W,C], the others [C]. */
export const batchNormInference = (
  x: tf.Tensor4D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number
): tf.Tensor4D =>
  recorder().record(
    "FusedBatchNormV3",
    [x, scale, offset, mean, variance],
    normalisation(epsilon, false)
  )[0] as tf.Tensor4D

/** Cross entropy of each row against a distribution over classes. logits, labels [N,K] → [N]. */
export const softmaxCrossEntropy = (logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor1D => {
  const { record } = recorder()
  return differentiable(
    [logits],
    (save) => {
      const [value, gradient] = record("SoftmaxCrossEntropyWithLogits", [logits, labels], [FLOAT])
      save([gradient])
      return value
    },
    (dy, [gradient]) => [tf.mul(tf.expandDims(dy, 1), gradient)]
  ) as tf.Tensor1D
}

/** Half the sum of squares of any tensor, as a scalar. Not differentiable. */
export const halfSquaredNorm = (x: tf.Tensor): tf.Scalar =>
  recorder().record("L2Loss", [x], [FLOAT])[0] as tf.Scalar

/** Φ(x), the standard normal distribution's cumulative function. */
const cumulative = (x: tf.Tensor): tf.Tensor => {
  const [erf] = recorder().record("Erf", [tf.mul(x, Math.SQRT1_2)], [FLOAT])
  return tf.add(tf.mul(erf, 0.5), 0.5)
}

/** Gaussian error linear unit x·Φ(x), exact (Hendrycks and Gimpel 2016, arXiv:1606.08415). Any shape. */
export const gelu = <T extends tf.Tensor>(x: T): T => {
  const compute = (x: tf.Tensor): tf.Tensor => tf.mul(x, cumulative(x))
  const value = differentiable(
    [x],
    (save) => {
      save([x])
      return compute(x)
    },
    (dy, [x]) => {
      const again = deferred(x, dy)
      const density = tf.mul(tf.exp(tf.mul(tf.square(again), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [tf.mul(dy, tf.add(cumulative(again), tf.mul(again, density)))]
    }
  ) as T
  return cheap(value, [x], compute)
}

/**
 * Layer normalisation over the last axis (Ba, Kiros, Hinton 2016, arXiv:1607.06450). x [M,C]; scale, offset [C].
 */
export const layerNorm = (
  x: tf.Tensor2D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  epsilon: number
): tf.Tensor2D =>
  differentiable(
    [x, scale, offset],
    (save) => {
      const centred = tf.sub(x, tf.mean(x, 1, true))
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon))
      const normalised = tf.mul(centred, inverse)
      save([normalised, inverse, scale])
      return tf.add(tf.mul(normalised, scale), offset)
    },
    (dy, [normalised, inverse, scale]) => {
      const product = tf.mul(dy, normalised)
      const g = tf.mul(dy, scale)
      const mean = tf.mean(g, 1, true)
      const along = tf.mul(normalised, tf.mean(tf.mul(product, scale), 1, true))
      return [tf.mul(inverse, tf.sub(tf.sub(g, mean), along)), tf.sum(product, 0), tf.sum(dy, 0)]
    }
  ) as tf.Tensor2D
