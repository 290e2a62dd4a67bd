/**
 * The basic block of pre-activation residual networks: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual
 * Networks", ECCV 2016 (arXiv:1603.05027), fig. 4e.
 */
import { relu } from "../../Ops/Activation.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { conv } from "../Layer/Convolution.ts"
import { dropout } from "../Layer/Dropout.ts"
import { cost, type Layer, sequential, stateless } from "../Layer/Layer.ts"
import { recomputable } from "../Layer/Recomputable.ts"
import { convNorm } from "../Lowering/ConvNorm.ts"
import { join, type ShakeDropOptions, shakeDropAt } from "./ShakeDrop.ts"
import type { Place } from "./Stages.ts"

export interface PreActBlockOptions {
  readonly in: number
  readonly out: number
  readonly place: Place
  /** What the shortcut makes of the first ReLU's output; without it the shortcut passes the block's input on. */
  readonly shortcut?: Layer | undefined
  /** Share of the values between the two convolutions that training drops. */
  readonly dropRate?: number | undefined
  /** Of the last block. */
  readonly shakeDrop?: ShakeDropOptions | undefined
}

/** BN, ReLU, 3×3, BN, ReLU, 3×3. */
export const preActBlock = (name: string, options: PreActBlockOptions): Layer => {
  const { dropRate, in: inputs, out, place, shortcut } = options
  const { index, size, stride, total } = place
  const shake = shakeDropAt(options.shakeDrop, index, total)
  const activation = sequential([batchNorm(`${name}.bn1`, inputs), stateless(relu)])
  const branch = sequential([
    convNorm({ conv: `${name}.conv1`, norm: `${name}.bn2` }, { in: inputs, out, kernel: 3, stride, size }),
    stateless(relu),
    ...(dropRate ? [dropout(name, dropRate)] : []),
    conv(`${name}.conv2`, { in: out, out, kernel: 3, size })
  ])
  return recomputable({
    ...cost(shortcut ? [activation, branch, shortcut] : [activation, branch]),
    apply: (context, x) => {
      const activated = activation.apply(context, x)
      const identity = shortcut ? shortcut.apply(context, activated) : x
      return join(name, identity, branch.apply(context, activated), shake, context.mode)
    }
  })
}
