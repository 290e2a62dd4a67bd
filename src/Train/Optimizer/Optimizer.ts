/** From gradients to new parameters: clipping, then the update of each parameter by the rules of its group. */

import * as tf from "@tensorflow/tfjs-core"
import { definitionOf } from "../../Config/Registered.ts"
import type { ParamGroups, TrainConfig } from "../../Config/Train.ts"
import type { TensorSpec } from "../../Model/Layer/Layer.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import { halfSquaredNorm } from "../../Ops/Loss.ts"
import { float32, type TensorRecord } from "../../Tensor/HostTensor.ts"
import { AdamW } from "./AdamW.ts"
import type { Optimizer, OptimizerDefinition, UpdateContext } from "./Define.ts"
import { Muon } from "./Muon.ts"
import { Sgd } from "./Sgd.ts"

/** The optimisers. To add one: a file, and its name here. */
export const optimizers = [Sgd, Muon, AdamW] as const

/** An optimiser as it is written, for this library's. */
export type OptimizerInput = (typeof optimizers)[number]["schema"]["Encoded"]

/** The optimiser of a training. `among` are those that there are. */
export const optimizerOf = (
  { learningRate, optimizer }: Pick<TrainConfig, "learningRate" | "optimizer">,
  among: ReadonlyArray<OptimizerDefinition> = optimizers
): Optimizer => definitionOf(among, optimizer).make(optimizer, { learningRate })

export interface OptimizerOptions {
  readonly optimizer: Optimizer
  readonly paramGroups: ParamGroups
  /** Largest global norm of the gradients; longer ones are scaled down to it. */
  readonly clipGradNorm: number | undefined
}

/** Where a state keeps what belongs to a parameter. */
export const slotOf = (slot: string, parameter: string): string => `${slot}/${parameter}`

/** What an optimiser keeps of the parameters among tensors, before the first step. */
export const initialSlots = (
  { slots }: Optimizer,
  tensors: ReadonlyArray<Pick<TensorSpec, "name" | "kind" | "role" | "shape">>
): TensorRecord =>
  Object.fromEntries(
    tensors.flatMap(({ kind, name, role, shape }) =>
      role === "parameter" ? slots(kind).map((slot) => [slotOf(slot, name), float32(shape)]) : []
    )
  )

/** Euclidean norm of all tensors together. */
export const globalNorm = (tensors: Tensors): tf.Scalar =>
  tf.sqrt(tf.mul(2, tf.sum(tf.stack(Object.values(tensors).map(halfSquaredNorm)))))

/** What gradients are multiplied with so that their norm is at most `clipGradNorm` (`clip_grad_norm_`). */
const clipFactor = (norm: tf.Scalar, clipGradNorm: number): tf.Scalar =>
  tf.minimum(tf.div(clipGradNorm, tf.add(norm, 1e-6)), 1)

/** Positions and class tokens do not decay unless they are asked to, as in timm. */
const DEFAULTS: ParamGroups = { embedding: { lrMultiplier: 1, weightDecay: 0 } }

/** Parameters and what is kept of them after a step, as entries of the new state. `norm` is that of the gradients. */
export const optimizerStep = (
  tensors: ReadonlyArray<Pick<TensorSpec, "name" | "kind">>,
  state: Tensors,
  gradients: Tensors,
  norm: tf.Scalar,
  { learningRate, step }: Pick<UpdateContext, "learningRate" | "step">,
  { clipGradNorm, optimizer, paramGroups }: OptimizerOptions
): Tensors => {
  const factor = clipGradNorm === undefined ? undefined : clipFactor(norm, clipGradNorm)
  const groups = { ...DEFAULTS, ...paramGroups }
  const rates = new Map<number, tf.Tensor>([[1, learningRate]])
  const rateOf = (multiplier: number): tf.Tensor => {
    const rate = rates.get(multiplier) ?? tf.mul(learningRate, multiplier)
    rates.set(multiplier, rate)
    return rate
  }
  const next: Record<string, tf.Tensor> = {}
  for (const { kind, name } of tensors) {
    const gradient = gradients[name]
    if (gradient === undefined) continue
    const { lrMultiplier = 1, weightDecay } = groups[kind] ?? {}
    const clipped = factor === undefined ? gradient : tf.mul(gradient, factor)
    const slots = Object.fromEntries(optimizer.slots(kind).map((slot) => [slot, state[slotOf(slot, name)]]))
    const at = { kind, step, learningRate: rateOf(lrMultiplier), weightDecay }
    const updated = optimizer.update(state[name], clipped, slots, at)
    next[name] = updated.parameter
    for (const [slot, value] of Object.entries(updated.slots)) next[slotOf(slot, name)] = value
  }
  return next
}
