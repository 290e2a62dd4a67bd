/** Pooling, of windows of 2×2 with PyTorch's sizes: an odd last row or column is left out. */
import * as tf from "@tensorflow/tfjs-core"
import * as Ops from "../../Ops/Pooling.ts"
import { halve, type Size } from "./Layer.ts"

/** A side of one pixel cannot be pooled: there the windows overlap the border. */
const fits = ({ height, width }: Size): boolean => height > 1 && width > 1

const sizeOf = ({ shape }: tf.Tensor4D): Size => ({ height: shape[1], width: shape[2] })

export const pooledSize = (size: Size): Size =>
  fits(size) ? { height: Math.floor(size.height / 2), width: Math.floor(size.width / 2) } : halve(size)

export const maxPool = (x: tf.Tensor4D): tf.Tensor4D =>
  Ops.maxPool(x, [2, 2], 2, fits(sizeOf(x)) ? "VALID" : "SAME")

/** [N,H,W,C] → [N,1,1,C]. */
export const globalMaxPool = (x: tf.Tensor4D): tf.Tensor4D =>
  Ops.maxPool(x, [x.shape[1], x.shape[2]], 1, "VALID")

export const averagePool = (x: tf.Tensor4D): tf.Tensor4D =>
  tf.avgPool(x, 2, 2, fits(sizeOf(x)) ? "valid" : "same")
