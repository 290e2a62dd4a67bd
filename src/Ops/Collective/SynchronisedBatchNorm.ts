/**
 * Batch normalisation over the images of all replicas (`torch.nn.SyncBatchNorm`): mean and variance of each replica's
 * part meet once forwards, and the sums that gradients need once backwards.
 */
import * as tf from "@tensorflow/tfjs-core"
import { recorder } from "../../Device/Trace/Recorder.ts"
import {
  type BatchNormOptions,
  type BatchNormResult,
  batchNormInference,
  type NormTensors,
  normaliseBatch
} from "../BatchNorm.ts"
import { gathered, type Replicas, sumOverReplicas } from "../Collective.ts"
import { moved, normalising, sums } from "../Fused/Pointwise.ts"
import { cheap, forGradient } from "../Recompute/Rematerialise.ts"

/** The two halves of a vector. */
const halves = (x: tf.Tensor, axis: number): ReadonlyArray<tf.Tensor> => tf.split(x, 2, axis)

/**
 * Mean and variance over all replicas of a map of which each has as many pixels. From means and variances, not from sums
 * of squares, whose digits a mean far from zero would take.
 */
const momentsOverReplicas = (x: tf.Tensor, tensors: NormTensors, epsilon: number, replicas: Replicas) => {
  const pixels = x.size / tensors[0].size
  const own = normaliseBatch(x, tensors, { epsilon, momentum: 1 }).running
  const biased = tf.mul(own.variance, Math.max(pixels - 1, 1) / pixels)
  const [means, variances] = halves(gathered(tf.concat([own.mean, biased]), replicas), 1)
  const mean = tf.mean(means, 0)
  return { mean, variance: tf.mean(tf.add(variances, tf.squaredDifference(means, mean)), 0) }
}

/** As `batchNormTraining`, with the statistics of the images of all replicas. */
export const synchronisedBatchNorm = (
  x: tf.Tensor4D,
  tensors: NormTensors,
  { epsilon, momentum }: BatchNormOptions,
  replicas: Replicas
): BatchNormResult => {
  const [scale, offset] = tensors
  const pixels = (replicas.count * x.size) / scale.size
  const { keep } = recorder()
  let used: ReadonlyArray<tf.Tensor> = []
  const result = normalising(
    [x, scale, offset],
    (save) => {
      const { mean, variance } = momentsOverReplicas(x, tensors, epsilon, replicas)
      used = [keep(mean), keep(variance)]
      save([x, scale, mean, variance])
      const value = batchNormInference(x, scale, offset, mean, variance, epsilon)
      return { value, mean, variance, running: moved(tensors, { mean, variance }, pixels, momentum) }
    },
    (dy, [x, scale, mean, variance]) => {
      const inverse = tf.rsqrt(tf.add(variance, epsilon))
      const normalised = tf.mul(tf.sub(forGradient(x, dy), mean), inverse)
      const [dOffset, dScale] = [sums(dy), sums(tf.mul(dy, normalised))]
      const totals = sumOverReplicas(tf.concat([dOffset, dScale]), replicas)
      const [offsets, scales] = halves(tf.div(totals, pixels), 0)
      const centred = tf.sub(tf.sub(dy, offsets), tf.mul(normalised, scales))
      return [tf.mul(centred, tf.mul(scale, inverse)), dScale, dOffset]
    }
  )
  const again = (...[x, ...tensors]: Array<tf.Tensor>): tf.Tensor =>
    batchNormInference(x as tf.Tensor4D, ...(tensors as unknown as NormTensors), epsilon)
  return { ...result, value: cheap(result.value, [x, scale, offset, ...used], again) }
}
