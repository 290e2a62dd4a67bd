/**
 * Layers one after the other, and how they are computed. This is the only door to what joins layers: in training 1×1
 * convolutions may be fused with normalisations (FusedPointwise.ts), in evaluation normalisations are folded into
 * convolutions (Folding.ts).
 */
import { cost, isTraining, type Layer } from "../Layer/Layer.ts"
import { endsFolded, type FoldOptions, folded, wantsOnes } from "./Folding.ts"
import { fused } from "./FusedPointwise.ts"

type Apply = Layer["apply"]

/** The layers, with those of sequences among them in their place. */
const flat = (layers: ReadonlyArray<Layer>): ReadonlyArray<Layer> =>
  layers.flatMap((layer) => (layer.form?._tag === "Sequence" ? flat(layer.form.layers) : [layer]))

const inTurn =
  (steps: ReadonlyArray<Apply>): Apply =>
  (context, x) =>
    steps.reduce((value, step) => step(context, value), x)

export interface SequentialOptions {
  /**
   * Whether training does a 1×1 convolution and the batch normalisation beside it as one operation where it runs on a
   * CPU. Gradients then take less time and memory; the variance is computed in one pass, which rounds differently.
   */
  readonly fused?: boolean
}

/**
 * Layers one after the other. In evaluation batch normalisations are folded into the convolutions beside them, which
 * gives the same but for rounding.
 */
export const sequential = (layers: ReadonlyArray<Layer>, options: SequentialOptions = {}): Layer => {
  const plain = inTurn(layers.map(({ apply }) => apply))
  const training = options.fused ? inTurn(fused(layers)) : plain
  const evaluation = inTurn(folded(flat(layers)))
  return {
    ...cost(layers),
    apply: (context, x) => {
      if (!isTraining(context)) return evaluation(context, x)
      // What is fused takes the statistics of its own map.
      return (context.mode.synchronised === undefined ? training : plain)(context, x)
    },
    form: { _tag: "Sequence", layers }
  }
}

/** What a residual branch can take into its convolutions in evaluation. */
export interface Absorbs {
  /** Whether its last operation can multiply its value with a factor and add to it. */
  readonly end: boolean
  /** Whether its first normalisation is folded only where its input holds ones. */
  readonly ones: boolean
}

/** What evaluation of a branch can take in. */
export const absorbs = (branch: Layer): Absorbs => {
  const layers = flat([branch])
  return { end: endsFolded(layers), ones: wantsOnes(layers) }
}

/** A branch in evaluation, which takes in what `absorbs` says that it can. */
export const branchOf = (branch: Layer, options: FoldOptions): Apply =>
  inTurn(folded(flat([branch]), options))
