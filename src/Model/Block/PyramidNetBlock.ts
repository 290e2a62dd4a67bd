/** Residual branches of PyramidNets: Han, Kim, Kim 2017 (arXiv:1610.02915), fig. 6d. */
import { relu } from "../../Ops/Activation.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { conv } from "../Layer/Convolution.ts"
import { type Layer, stateless } from "../Layer/Layer.ts"
import { sequential } from "../Lowering/Sequential.ts"
import type { Place } from "./Stages.ts"

export interface BranchOptions {
  readonly in: number
  /** Channels of the block's 3×3 convolutions. */
  readonly width: number
  readonly place: Place
}

/** BN, 3×3, BN, ReLU, 3×3, BN: no ReLU before the first convolution. */
export const basic = (name: string, { in: inputs, place, width }: BranchOptions): Layer => {
  const { size, stride } = place
  return sequential([
    batchNorm(`${name}.bn1`, inputs),
    conv(`${name}.conv1`, { in: inputs, out: width, kernel: 3, stride, size }),
    batchNorm(`${name}.bn2`, width),
    stateless(relu),
    conv(`${name}.conv2`, { in: width, out: width, kernel: 3, size }),
    batchNorm(`${name}.bn3`, width)
  ])
}

/** Channels that a bottleneck gives for each of its width. */
export const EXPANSION = 4

/** BN, 1×1, BN, ReLU, 3×3, BN, ReLU, 1×1, BN. */
export const bottleneck = (name: string, { in: inputs, place, width }: BranchOptions): Layer => {
  const { inputSize, size, stride } = place
  const out = EXPANSION * width
  return sequential(
    [
      batchNorm(`${name}.bn1`, inputs),
      conv(`${name}.conv1`, { in: inputs, out: width, kernel: 1, size: inputSize }),
      batchNorm(`${name}.bn2`, width),
      stateless(relu),
      conv(`${name}.conv2`, { in: width, out: width, kernel: 3, stride, size }),
      batchNorm(`${name}.bn3`, width),
      stateless(relu),
      conv(`${name}.conv3`, { in: width, out, kernel: 1, size }),
      batchNorm(`${name}.bn4`, out)
    ],
    { fused: true }
  )
}
