/**
 * Lookahead: Zhang, Lucas, Hinton, Ba, "Lookahead Optimizer: k steps forward, 1 step back", NeurIPS 2019
 * (arXiv:1907.08610). Slow weights go part of the way to the fast ones every few steps, and the fast ones start again
 * from there.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { count, positive, positiveShare, withDefault } from "../../Config/Fields.ts"
import type { Network } from "../../Model/Network.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { defineAverage } from "./Define.ts"

const LookaheadOptions = Schema.Struct({
  /** Steps from one synchronisation to the next (the paper's k). */
  k: count.pipe(withDefault(5)),
  /** The part of the way that slow weights go (the paper's α). */
  alpha: positiveShare.pipe(withDefault(0.5)),
  /**
   * α starts at 1 and falls to `alpha` with this power of the share of the run that is done; without it α stays the
   * same.
   */
  power: Schema.optionalKey(positive)
})
export type LookaheadOptions = typeof LookaheadOptions.Type

/** Where the slow copy of a tensor of the network is kept in the state. */
export const slowOf = (name: string): string => `lookahead/${name}`

/** Slow weights at the start; batch statistics go with the weights that they belong to. */
export const initialSlow = (network: Network, weights: TensorRecord): TensorRecord =>
  Object.fromEntries(
    network.tensors.flatMap(({ name, role }) => (role === "constant" ? [] : [[slowOf(name), weights[name]]]))
  )

/**
 * How far slow weights go after the `step`-th step (from 1) of `steps`: 0 where none is due. At the end of an epoch
 * one always is, so that what is evaluated and saved are slow weights.
 */
export const lookaheadRate = (
  { alpha, k, power }: LookaheadOptions,
  step: number,
  { stepsPerEpoch, steps }: { readonly stepsPerEpoch: number; readonly steps: number }
): number => {
  if (step % k !== 0 && step % stepsPerEpoch !== 0) return 0
  return power === undefined ? alpha : 1 - (1 - alpha) * (step / steps) ** power
}

/** New fast and slow weights, as entries of the state. `fast` are those after the optimiser's step. */
export const synchronise = (state: Tensors, fast: Tensors, rate: tf.Tensor): Tensors => {
  const due = tf.cast(tf.greater(rate, 0), "float32")
  const next: Record<string, tf.Tensor> = {}
  for (const [name, value] of Object.entries(fast)) {
    const slow = state[slowOf(name)]
    const moved = tf.add(slow, tf.mul(rate, tf.sub(value, slow)))
    next[slowOf(name)] = moved
    // One of the two, to the bit.
    next[name] = tf.add(tf.mul(moved, due), tf.mul(value, tf.sub(1, due)))
  }
  return next
}

/** Slow weights. They are not evaluated: at the end of an epoch they are the raw ones. */
export const lookahead = defineAverage({
  name: "lookahead",
  schema: LookaheadOptions,
  evaluated: false,
  make: (options) => ({
    keptAs: slowOf,
    init: initialSlow,
    afterStep: {
      coefficient: ({ step, ...length }) => lookaheadRate(options, step + 1, length),
      update: synchronise
    },
    refreshStatistics: false
  })
})
