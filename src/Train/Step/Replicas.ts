/**
 * Data parallelism: each replica computes the gradients of its own part of the batch, and their mean over the replicas
 * is what all of them go on with, so that their states stay equal to the bit.
 */

import * as tf from "@tensorflow/tfjs-core"
import { meanOverReplicas, type Replicas } from "../../Ops/Collective.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import type { RandomKey } from "../../Ops/Random.ts"

export interface StepReplicas extends Replicas {
  /** Whether batch normalisation takes its statistics from the images of all replicas. */
  readonly synchronised: boolean
  /** What gradients are sent as. */
  readonly as: "float32" | "bfloat16"
}

/** Draws of a replica's part of the batch, or of its share of one of so many parts. */
export const keyOf = (
  key: RandomKey,
  replicas: Replicas | undefined,
  part?: { readonly index: tf.Scalar; readonly of: number }
): RandomKey => {
  if (replicas === undefined) return part === undefined ? key : { ...key, part }
  const { count } = replicas
  const own = tf.scalar(replicas.index, "int32")
  if (part === undefined) return { ...key, part: { index: own, of: count } }
  return { ...key, part: { index: tf.add(tf.mul(part.index, count), own), of: part.of * count } }
}

/** Mean gradients. The backward pass makes those of the last layers first. */
export const meanGradients = (gradients: Tensors, { as, ...replicas }: StepReplicas): Tensors => {
  const names = Object.keys(gradients)
  const means = meanOverReplicas(
    Object.fromEntries(names.toReversed().map((name) => [name, gradients[name]])),
    replicas,
    { as }
  )
  // Optimisers go through gradients in this order.
  return Object.fromEntries(names.map((name) => [name, means[name]]))
}

/** What is agreed on besides gradients. */
export interface Told {
  readonly loss: tf.Scalar
  readonly correct: tf.Scalar
  /** Above 0 where a replica wants to stop after the step. */
  readonly stop: tf.Scalar
  /** Running statistics after the batch, by name. */
  readonly statistics: Tensors
}

/** Mean loss, right predictions and running statistics of all replicas, and whether any of them wants to stop. */
export const agreed = ({ correct, loss, statistics, stop }: Told, replicas: StepReplicas): Told => {
  const means = meanOverReplicas({ loss, correct, stop, ...statistics }, replicas)
  return {
    loss: means.loss as tf.Scalar,
    correct: tf.mul(means.correct, replicas.count),
    stop: means.stop as tf.Scalar,
    statistics: Object.fromEntries(Object.keys(statistics).map((name) => [name, means[name]]))
  }
}
