/** A convolution and the batch normalisation after it, as one layer. */
import { type BatchNormOptions, batchNorm } from "../Layer/BatchNorm.ts"
import { type ConvOptions, conv } from "../Layer/Convolution.ts"
import { isTraining, type Layer, sequential } from "../Layer/Layer.ts"
import { type ConvNormNames, convThenNorm } from "./Folding.ts"

export interface ConvNormOptions extends Omit<ConvOptions, "bias" | "padding"> {
  readonly normalisation?: BatchNormOptions
  /**
   * Layers between the two. They must give the same whether the normalisation comes before or after them, as max-pooling
   * does where scales are positive.
   */
  readonly between?: ReadonlyArray<Layer>
}

/** In evaluation the two are one convolution with a bias; the convolution has none of its own. */
export const convNorm = (names: ConvNormNames, options: ConvNormOptions): Layer => {
  const { between = [], normalisation, ...convolution } = options
  const norm = batchNorm(names.norm, options.out, normalisation)
  const all = sequential([conv(names.conv, convolution), ...between, norm])
  const after = sequential(between)
  const evaluation = { stride: options.stride, epsilon: normalisation?.epsilon }
  return {
    ...all,
    apply: (context, x) =>
      isTraining(context)
        ? all.apply(context, x)
        : after.apply(context, convThenNorm(context, names, x, evaluation))
  }
}
