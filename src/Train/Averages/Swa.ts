/**
 * Stochastic weight averaging: Izmailov, Podoprikhin, Garipov, Vetrov, Wilson, "Averaging Weights Leads to Wider
 * Optima and Better Generalization", UAI 2018 (arXiv:1803.05407). The mean of the weights at the end of some epochs,
 * whose batch statistics are measured anew, because they are the mean of nothing.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { count, withDefault } from "../../Config/Fields.ts"
import type { Network } from "../../Model/Network.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import { defineAverage, startingAt } from "./Define.ts"

/** Where the mean of a tensor of the network is kept in the state. */
export const swaOf = (name: string): string => `swa/${name}`

/** How many weights the mean is of, after that many epochs. */
export const modelsAveraged = (
  { every, start }: { readonly start: number; readonly every: number },
  epochs: number
): number => (epochs < start ? 0 : Math.floor((epochs - start) / every) + 1)

/** mean + share·(value − mean): with a share of 1/n the mean of n values, of which this is the last. */
export const moveMean = (mean: tf.Tensor, value: tf.Tensor, share: tf.Tensor): tf.Tensor =>
  tf.add(mean, tf.mul(share, tf.sub(value, mean)))

/** Takes the network's parameters into the means: `share` is 1/n for the n-th. */
const takeIntoMeans = (network: Network, state: Tensors, share: tf.Tensor): Tensors =>
  Object.fromEntries(
    network.tensors.flatMap(({ name, role }) =>
      role === "parameter" ? [[swaOf(name), moveMean(state[swaOf(name)], state[name], share)]] : []
    )
  )

/** Mean of the weights after epoch `start` and after every `every`-th from there. */
export const swa = defineAverage({
  name: "swa",
  schema: Schema.Struct({
    /** The first epoch (from 1) after which weights are taken into the mean. */
    start: count,
    /** Epochs from one to the next. */
    every: count.pipe(withDefault(1))
  }),
  evaluated: true,
  check: ({ start }, { epochs }) =>
    start > epochs ? { path: ["start"], issue: `expected an epoch of the run's ${epochs}` } : undefined,
  inOneEpoch: () => ({ start: 1, every: 1 }),
  make: (options) => ({
    keptAs: swaOf,
    init: startingAt(swaOf),
    afterEpoch: { count: (epochs) => modelsAveraged(options, epochs), update: takeIntoMeans },
    refreshStatistics: true
  })
})
