/** Pooling, of windows of 2×2 with PyTorch's sizes: an odd last row or column is left out. */
import * as tf from "@tensorflow/tfjs-core"
import { ownChannels } from "../../Ops/Alignment.ts"
import * as Ops from "../../Ops/Pooling.ts"
import { halve, type Layer, type Size, stateless } from "./Layer.ts"

/** A side of one pixel cannot be pooled: there the windows overlap the border. */
const fits = ({ height, width }: Size): boolean => height > 1 && width > 1

const sizeOf = ({ shape }: tf.Tensor4D): Size => ({ height: shape[1], width: shape[2] })

/** Height and width after pooling. */
export const pooledSize = (size: Size): Size =>
  fits(size) ? { height: Math.floor(size.height / 2), width: Math.floor(size.width / 2) } : halve(size)

/** The largest value of each channel in each window. */
export const maxPool: Layer = {
  ...stateless((x) => Ops.maxPool(x, [2, 2], 2, fits(sizeOf(x)) ? "VALID" : "SAME")),
  form: { _tag: "MaxPool" }
}

/** The mean of each channel in each window. */
export const averagePool: Layer = stateless((x) => tf.avgPool(x, 2, 2, fits(sizeOf(x)) ? "valid" : "same"))

/** Maximum over height and width of the first `channels` channels: [N,H,W,C] → [N,channels]. */
export const globalMaxPool = (x: tf.Tensor4D, channels: number): tf.Tensor2D => {
  const largest = Ops.maxPool(x, [x.shape[1], x.shape[2]], 1, "VALID")
  return ownChannels(tf.reshape(largest, [-1, x.shape[3]]), channels)
}

/** Mean over height and width of the first `channels` channels: [N,H,W,C] → [N,channels]. */
export const globalAveragePool = (x: tf.Tensor4D, channels: number): tf.Tensor2D =>
  ownChannels(tf.mean<tf.Tensor2D>(x, [1, 2]), channels)
