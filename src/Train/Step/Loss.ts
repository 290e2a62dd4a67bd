/** The training objective. */
import * as tf from "@tensorflow/tfjs-core"
import type * as Schema from "effect/Schema"
import {
  type Definition,
  type InputOf,
  type OptionsOf,
  type Registered,
  type Stated,
  statedSchema
} from "../../Config/Registered.ts"
import { softmaxCrossEntropy } from "../../Ops/Loss.ts"

/** Labels of a mixed batch: image i is λᵢ of class aᵢ and 1 − λᵢ of class bᵢ. */
export interface MixedLabels {
  /** int32 [N] */
  readonly a: tf.Tensor1D
  /** int32 [N] */
  readonly b: tf.Tensor1D
  /** float32 [N] */
  readonly lambda: tf.Tensor1D
}

/**
 * Target distributions [N,classes]: (1 − ε)·(λ·onehot(a) + (1 − λ)·onehot(b)) + ε/classes, with label smoothing
 * ε (Szegedy et al. 2016, "Rethinking the Inception Architecture", sect. 7).
 */
export const targets = ({ a, b, lambda }: MixedLabels, classes: number, smoothing: number): tf.Tensor2D => {
  const share = tf.expandDims(lambda, 1)
  const oneHot = (labels: tf.Tensor1D) => tf.cast(tf.oneHot(labels, classes), "float32")
  const mixed = tf.add(tf.mul(share, oneHot(a)), tf.mul(tf.sub(1, share), oneHot(b)))
  return tf.add(tf.mul(mixed, 1 - smoothing), smoothing / classes)
}

/** Mean over the batch of the cross entropy of logits [N,K] against target distributions [N,K]. */
export const crossEntropy = (logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar =>
  tf.mean(softmaxCrossEntropy(logits, targets))

/** How many of a batch are right: an image counts by the share of the class that is predicted. */
export const correctOf = (logits: tf.Tensor2D, { a, b, lambda }: MixedLabels): tf.Scalar => {
  const predicted = tf.argMax<tf.Tensor1D>(logits, 1)
  const hit = (labels: tf.Tensor1D) => tf.cast(tf.equal(predicted, labels), "float32")
  return tf.sum(tf.add(tf.mul(lambda, hit(a)), tf.mul(tf.sub(1, lambda), hit(b))))
}

/** Of logits [N,classes] against target distributions [N,classes]: a scalar, the mean over the batch. */
export type LossFunction = (logits: tf.Tensor2D, targets: tf.Tensor2D) => tf.Scalar

export interface Loss<Options extends Registered = Registered, Input = unknown>
  extends Definition<Options, Input> {
  make(options: Options): LossFunction
}

interface StatedLoss<Name extends string, Fields extends Schema.Struct.Fields> extends Stated<Name, Fields> {
  /** The function that decoded options stand for. It is differentiated, so all of it has to have gradients. */
  readonly make: (options: OptionsOf<Name, Fields>) => LossFunction
}

/** A loss of one's own, or of this library: what a configuration names as `train.loss`. */
export const defineLoss = <const Name extends string, const Fields extends Schema.Struct.Fields>(
  stated: StatedLoss<Name, Fields>
): Loss<OptionsOf<Name, Fields>, InputOf<Name, Fields>> => ({ ...stated, schema: statedSchema(stated) })

/** Softmax cross entropy, against targets that may be mixed and smoothed. */
export const CrossEntropy = defineLoss({ name: "CrossEntropy", fields: {}, make: () => crossEntropy })

export const losses = [CrossEntropy] as const

/** A loss as it is written, for this library's. */
export type LossInput = (typeof losses)[number]["schema"]["Encoded"]
