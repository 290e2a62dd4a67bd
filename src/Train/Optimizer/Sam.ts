/**
 * Sharpness-aware minimisation: Foret, Kleiner, Mobahi, Neyshabur, "Sharpness-Aware Minimization for Efficiently
 * Improving Generalization", ICLR 2021 (arXiv:2010.01412). The gradient is taken not at the weights w but at w + ε,
 * where the loss of the batch is (to first order) highest within a distance of ρ. ASAM measures that distance relative
 * to the size of each weight: Kwon, Kim, Park, Choi, "ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant
 * Learning of Deep Neural Networks", ICML 2021 (arXiv:2102.11600).
 */

import * as tf from "@tensorflow/tfjs-core"
import type { TensorKind, TensorSpec } from "../../Model/Layer/Layer.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import { globalNorm } from "./Optimizer.ts"

export interface SamOptions {
  /** The distance ρ. */
  readonly rho: number
  /** ASAM in place of SAM. */
  readonly adaptive: boolean
}

/** What ASAM adds to the size of a weight, so that those of zero are moved too (its η). */
const FLOOR = 0.01

/** What ASAM calls weights. Biases, positions and tokens are none. */
const WEIGHTS: ReadonlySet<TensorKind> = new Set<TensorKind>(["conv", "linear", "norm"])

/** ASAM's T_w·v: (|w| + η)·v for weights, v for the rest. */
const rescale = (kind: TensorKind, parameter: tf.Tensor, value: tf.Tensor): tf.Tensor =>
  WEIGHTS.has(kind) ? tf.mul(tf.add(tf.abs(parameter), FLOOR), value) : value

/**
 * w + ε by name: ε = ρ·g/‖g‖ (SAM, eq. 2), or ε = ρ·T²g/‖Tg‖ (ASAM), with the norm over all parameters together.
 * `gradients` are those of the loss alone, without weight decay; those among `tensors` that have one are moved.
 */
export const ascend = (
  tensors: ReadonlyArray<Pick<TensorSpec, "name" | "kind">>,
  parameters: Tensors,
  gradients: Tensors,
  { adaptive, rho }: SamOptions
): Tensors => {
  const moved = tensors.filter(({ name }) => gradients[name] !== undefined)
  const rescaled = (values: Tensors): Tensors =>
    adaptive
      ? Object.fromEntries(
          moved.map(({ kind, name }) => [name, rescale(kind, parameters[name], values[name])])
        )
      : values
  const scaled = rescaled(gradients)
  const length = tf.div(rho, tf.add(globalNorm(scaled), 1e-12))
  const directions = rescaled(scaled)
  return Object.fromEntries(
    moved.map(({ name }) => [name, tf.add(parameters[name], tf.mul(length, directions[name]))])
  )
}
