/** 2-d convolution over NHWC, with the gradients that oneDNN and cuDNN have kernels for. */
import * as tf from "@tensorflow/tfjs-core"
import { FLOAT, type Padding, string, windowed } from "../Device/Graph/Attributes.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import { differentiable } from "./Gradients.ts"
import { forGradient } from "./Recompute/Rematerialise.ts"

/**
 * 2-d convolution (cross-correlation) with PyTorch's padding: `padding` zeros on each side, also where
 * TensorFlow's "SAME" would pad the right and bottom only (stride 2).
 * x [N,H,W,C], kernel [kh,kw,C,O] → [N,H',W',O].
 */
export const conv2d = (x: tf.Tensor4D, kernel: tf.Tensor4D, stride: number, padding: number): tf.Tensor4D => {
  if (padding === 0 && writesBeyond(kernel, stride)) return convolve(strided(x, stride), kernel, 1, "VALID")
  // oneDNN computes gradients for "SAME" and "VALID" only; explicit paddings fall back to kernels that are
  // three to four times slower.
  if (padding === 0) return convolve(x, kernel, stride, "VALID")
  const [height, width] = kernel.shape
  const same = stride === 1 && height === 2 * padding + 1 && width === 2 * padding + 1
  if (same) return convolve(x, kernel, stride, "SAME")
  return convolve(pad(x, padding), kernel, stride, "VALID")
}

/**
 * Whether oneDNN's gradient of a strided 1×1 kernel (`jit_1x1:avx512_core`, backward_weights) would write beyond its
 * memory: it gathers the pixels that are used in whole vectors of 16 channels, with no room for a last one that is not
 * whole. Where a batch does not divide by the threads, the heap is damaged.
 */
const writesBeyond = ({ shape: [height, width, channels] }: tf.Tensor4D, stride: number): boolean =>
  stride > 1 && height === 1 && width === 1 && channels % 16 !== 0

/** The pixels that a strided 1×1 kernel uses: every second one in each direction for a stride of 2. */
const strided = (x: tf.Tensor4D, stride: number): tf.Tensor4D => tf.avgPool(x, 1, stride, "valid")

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
