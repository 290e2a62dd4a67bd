/** Blocks of a network whose activations are not kept for the backward pass. */
import type * as tf from "@tensorflow/tfjs-core"
import { recompute } from "../../Ops/Recompute/Checkpointing.ts"
import { type Context, cost, type Layer } from "./Layer.ts"

/** A block of which, in a mode that asks for it, only the input is kept: the backward pass computes it again. */
export const recomputable = <In extends tf.Tensor, Out extends tf.Tensor>(
  block: Layer<In, Out>
): Layer<In, Out> => {
  const parameters = block.tensors.flatMap(({ name, role }) => (role === "parameter" ? [name] : []))
  return {
    ...cost([block]),
    apply: (context, x) => {
      const { mode, statistics, weights } = context
      if (mode._tag === "Evaluation" || !mode.recompute) return block.apply(context, x)
      const { auxiliary, value } = recompute(
        (input: In, own, defer) => {
          const key = { ...mode.key, step: defer(mode.key.step) }
          const inside: Context = {
            weights: { ...weights, ...own },
            mode: { ...mode, key },
            statistics: {}
          }
          return { value: block.apply(inside, input), auxiliary: inside.statistics }
        },
        x,
        Object.fromEntries(parameters.map((name) => [name, weights[name]]))
      )
      Object.assign(statistics, auxiliary)
      return value
    }
  }
}
