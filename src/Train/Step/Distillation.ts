/**
 * Knowledge distillation: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015
 * (arXiv:1503.02531). A network learns the softened probabilities of a trained one, its teacher, besides the labels;
 * of several teachers, the weighted mean of their probabilities. A teacher of the same architecture makes it self-distillation.
 */

import * as tf from "@tensorflow/tfjs-core"
import type { Network } from "../../Model/Network.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import { softmaxCrossEntropy } from "../../Ops/Loss.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"

export interface DistillationOptions {
  /** What logits are divided by before the softmax, for both networks (the paper's T). */
  readonly temperature: number
  /** Share of the soft targets in the loss; labels have the rest. */
  readonly weight: number
}

export interface Distillation extends DistillationOptions {
  readonly teachers: ReadonlyArray<Network>
  /** Of each teacher in the mean of their probabilities, with a sum of 1; the same unless given. */
  readonly shares?: ReadonlyArray<number>
}

const TEACHER = "teacher/"

const teacherOf = (index: number, name: string): string => `${TEACHER}${index}/${name}`

/** Whether a name of the state is that of a teacher's tensor. */
export const isTeachers = (name: string): boolean => name.startsWith(TEACHER)

/** Teachers' weights as state of a program. */
export const teacherState = (weights: ReadonlyArray<TensorRecord>): TensorRecord =>
  Object.fromEntries(
    weights.flatMap((teacher, index) =>
      Object.entries(teacher).map(([name, value]) => [teacherOf(index, name), value])
    )
  )

/**
 * The teachers' softened probabilities for a batch of images: the weighted mean of softmax(z/T) [N,classes]. They
 * are in evaluation mode and not trained. They see the student's own crops and mixtures, for another view of an image
 * teaches worse (Beyer et al., "Knowledge distillation: a good teacher is patient and consistent", CVPR 2022), but
 * always in the size that they were trained for, also where progressive resizing shows the student smaller ones.
 */
export const softTargets = (
  { shares, teachers, temperature }: Distillation,
  state: Tensors,
  images: tf.Tensor4D
): tf.Tensor2D => {
  const probabilities = teachers.map((teacher, index) => {
    const weights = Object.fromEntries(
      teacher.tensors.map(({ name }) => [name, state[teacherOf(index, name)]])
    )
    const { logits } = teacher.apply(weights, images, { _tag: "Evaluation" })
    const share = shares?.[index] ?? 1 / teachers.length
    return tf.mul<tf.Tensor2D>(tf.softmax(tf.div(logits, temperature)), share)
  })
  return tf.addN(probabilities)
}

/**
 * T² times the mean cross entropy of softmax(z/T) against soft targets [N,classes]. The factor keeps the gradient as
 * large as that of the labels whatever T is (the paper, sect. 2.1).
 */
export const distillationLoss = (logits: tf.Tensor2D, soft: tf.Tensor2D, temperature: number): tf.Scalar =>
  tf.mul(tf.mean(softmaxCrossEntropy(tf.div(logits, temperature), soft)), temperature ** 2)
