/** Exponential moving average of weights (Polyak and Juditsky 1992, in the form that is usual now). */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { share } from "../../Config/Fields.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import { defineAverage, startingAt } from "./Define.ts"

/** Where the average of a parameter or of a batch statistic is kept in the state. */
export const averageOf = (name: string): string => `ema/${name}`

/**
 * Averages after a step: ema ← ema + (1 − decay)·(value − ema), for every one of `values`. Running batch
 * statistics are averaged with the weights that they belong to.
 */
export const moveAverages = (state: Tensors, values: Tensors, decay: tf.Tensor): Tensors => {
  const rate = tf.sub(1, decay)
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const average = state[averageOf(name)]
      return [averageOf(name), tf.add(average, tf.mul(rate, tf.sub(value, average)))]
    })
  )
}

/** The decay at a step (from 0): less at first, so that the start is forgotten in short runs too. */
export const averageDecay = (decay: number, step: number): number => Math.min(decay, (1 + step) / (10 + step))

/** Moving average of the weights; its decay, the coefficient of a step, is reached gradually. */
export const ema = defineAverage({
  name: "ema",
  schema: Schema.Struct({ decay: share }),
  evaluated: true,
  make: ({ decay }) => ({
    keptAs: averageOf,
    init: startingAt(averageOf),
    afterStep: { coefficient: ({ step }) => averageDecay(decay, step), update: moveAverages },
    refreshStatistics: false
  })
})
