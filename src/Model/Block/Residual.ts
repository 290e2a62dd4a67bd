/** Residual blocks: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016 (arXiv:1603.05027). */
import * as tf from "@tensorflow/tfjs-core"
import { hasOnes, movedOnes } from "../../Ops/Alignment.ts"
import { type Context, cost, isTraining, type Layer, type Ones } from "../Layer/Layer.ts"
import { recomputable } from "../Layer/Recomputable.ts"
import { absorbs, branchOf } from "../Lowering/Sequential.ts"
import { expectation, join, type ShakeDropConfig, shakeDropAt } from "./ShakeDrop.ts"
import type { Place } from "./Stages.ts"

export interface ResidualOptions {
  readonly in: number
  readonly out: number
  readonly place: Place
  /** Comes before the branch and before the shortcut, where the shortcut is a layer. */
  readonly activation?: Layer | undefined
  /** Without it the shortcut passes the block's input on as it is. */
  readonly shortcut?: Layer | undefined
  readonly branch: Layer
  /** ShakeDrop of the network. */
  readonly shakeDrop?: ShakeDropConfig | undefined
}

const NONE: Ones = { from: false, to: false }

/** shortcut(x) + branch(x), with ShakeDrop of the branch where there are options for it. */
export const residual = (name: string, options: ResidualOptions): Layer => {
  const { activation, branch, in: inputs, out, place, shortcut } = options
  const shake = shakeDropAt(options.shakeDrop, place.index, place.total)
  const takes = absorbs(branch)

  const parts = (context: Context, x: tf.Tensor4D) => {
    const activated = activation ? activation.apply(context, x) : x
    return { activated, identity: shortcut ? shortcut.apply(context, activated) : x }
  }
  const joined: Layer["apply"] = (context, x) => {
    const { activated, identity } = parts(context, x)
    return join(name, identity, branch.apply(context, activated), shake, context.mode)
  }
  const evaluate = (context: Context, x: tf.Tensor4D, ones: Ones): tf.Tensor4D => {
    if (!takes.end) return joined(context, x)
    const { activated, identity } = parts(context, x)
    const added = ones.from || ones.to ? movedOnes(ones, inputs, out) : undefined
    const folded = branchOf(branch, { ones: ones.from, end: { factor: expectation(shake), added } })
    return tf.add(folded(context, activated), identity)
  }

  const block = recomputable<tf.Tensor4D, tf.Tensor4D>({
    ...cost([activation, branch, shortcut].filter((layer) => layer !== undefined)),
    apply: (context, x) => (isTraining(context) ? joined(context, x) : evaluate(context, x, NONE))
  })
  const wantsOnes = activation === undefined && takes.ones && hasOnes(inputs)
  return { ...block, form: { _tag: "Residual", wantsOnes, givesOnes: takes.end && hasOnes(out), evaluate } }
}
