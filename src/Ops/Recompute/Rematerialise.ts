/**
 * Values that are computed again for the gradients of what they are given to, in place of being kept from the forward
 * pass: those that cost little beside the memory that they take. The idea is that of Chen, Xu, Zhang, Guestrin,
 * "Training Deep Nets with Sublinear Memory Cost", 2016 (arXiv:1604.06174), section 3, which drops the results of
 * normalisations and activations between convolutions.
 */
import * as tf from "@tensorflow/tfjs-core"
import { recorder } from "../../Device/Trace/Recorder.ts"
import { notBefore } from "./Checkpointing.ts"

/** Gives a value in the backward pass, once another has been computed. */
type Again = (after: tf.Tensor) => tf.Tensor

/**
 * How values are had again, by what tfjs shares between a tensor and its clones. Each is computed once, for the
 * gradient that asks first: in the backward pass that is the one furthest from the input, so that the others, which
 * come after it, may wait for the same.
 */
const cheapValues = new WeakMap<tf.DataId, Again>()
const keptValues = new WeakMap<tf.DataId, Again>()

const once = (f: Again): Again => {
  const { keep } = recorder()
  let value: tf.Tensor | undefined
  return (after) => {
    value ??= keep(f(after))
    return value
  }
}

/**
 * Says that `value` is `f(...sources)` and better computed again than kept; what it starts from is kept, unless that is
 * cheap itself. `f` must give the same bits each time.
 */
export const cheap = <T extends tf.Tensor>(
  value: T,
  sources: ReadonlyArray<tf.Tensor>,
  f: (...sources: Array<tf.Tensor>) => tf.Tensor
): T => {
  const { keep } = recorder()
  const kept = sources.map((source) => keep(source.clone()))
  cheapValues.set(
    value.dataId,
    // It is enough that one source waits.
    once((after) => f(...kept.map((x, i) => (i === 0 || isCheap(x) ? deferred(x, after) : x))))
  )
  if (sources.some(({ dataId }) => sums.has(dataId))) sums.add(value.dataId)
  return value
}

export const isCheap = (x: tf.Tensor): boolean => cheapValues.has(x.dataId)

/** Sums of residual blocks that are cheap, and cheap values that start from one. */
const sums = new WeakSet<tf.DataId>()

/**
 * x + y, where y is cheap. Then so is the sum, unless x starts from a sum of that kind: of a chain of residual blocks
 * every second sum is kept, from which the next one is computed. Same shapes.
 */
export const addResidual = (x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D => {
  const value = tf.add<tf.Tensor4D>(x, y)
  if (!isCheap(y) || sums.has(x.dataId)) return value
  sums.add(value.dataId)
  return cheap(value, [y, x], (y, x) => tf.add(x, y))
}

/** A value of the forward pass for a gradient that starts from `dy`: computed again if it is cheap. */
export const forGradient = (x: tf.Tensor, dy: tf.Tensor): tf.Tensor => cheapValues.get(x.dataId)?.(dy) ?? x

/** The same for what is to be computed from it again, and must not be before. */
export const deferred = (x: tf.Tensor, dy: tf.Tensor): tf.Tensor => {
  const known = cheapValues.get(x.dataId) ?? keptValues.get(x.dataId)
  if (known !== undefined) return known(dy)
  const again = once((after) => notBefore(x, after))
  keptValues.set(x.dataId, again)
  return again(dy)
}
