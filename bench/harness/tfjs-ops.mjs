/**
 * The operations of src/Ops as a program for tfjs-node has them: composed of tfjs's own ops, with tfjs's own gradients.
 * Batch normalisation is that of tfjs-layers (moments, then `batchNorm`), the update that of tfjs's MomentumOptimizer
 * with Nesterov's form.
 */
import * as tf from "@tensorflow/tfjs-core"
import { recorder } from "../../dist/Device/Trace/Recorder.js"

const IMAGES = [0, 1, 2]

export const conv2d = (x, kernel, stride, padding) => {
  const same = stride === 1 && kernel.shape[0] === 2 * padding + 1
  if (padding === 0 || same) return tf.conv2d(x, kernel, stride, same ? "same" : "valid")
  const border = [padding, padding]
  return tf.conv2d(tf.pad(x, [[0, 0], border, border, [0, 0]]), kernel, stride, "valid")
}

export const addBias = tf.add

export const relu = tf.relu

export const maxPool = (x, window, stride, padding) => tf.maxPool(x, window, stride, padding.toLowerCase())

export const gelu = (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))))

export const batchNormTraining = (x, scale, offset, runningMean, runningVariance, { epsilon, momentum }) => {
  const { mean, variance } = tf.moments(x, IMAGES)
  const count = x.size / mean.size
  const moved = (running, batch) =>
    recorder().keep(tf.add(tf.mul(running, 1 - momentum), tf.mul(batch, momentum)))
  return {
    value: tf.batchNorm(x, mean, variance, offset, scale, epsilon),
    mean: moved(runningMean, mean),
    variance: moved(runningVariance, tf.mul(variance, count / (count - 1)))
  }
}

/** What several replicas have; here is one. */
export const synchronisedBatchNorm = () => {
  throw new Error("one device has no replicas")
}

export const batchNormInference = (x, scale, offset, mean, variance, epsilon) =>
  tf.batchNorm(x, mean, variance, offset, scale, epsilon)

export const layerNorm = (x, scale, offset, epsilon) => {
  const { mean, variance } = tf.moments(x, 1, true)
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))), scale), offset)
}

export const softmaxCrossEntropy = (logits, labels) =>
  tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), 1))

export const halfSquaredNorm = (x) => tf.mul(tf.sum(tf.square(x)), 0.5)

export const applyMomentum = (parameter, momentum, gradient, learningRate, decay) => {
  const accumulated = tf.add(tf.mul(momentum, decay), gradient)
  const step = tf.mul(learningRate, tf.add(gradient, tf.mul(accumulated, decay)))
  const { keep } = recorder()
  return { parameter: keep(tf.sub(parameter, step)), momentum: keep(accumulated) }
}
