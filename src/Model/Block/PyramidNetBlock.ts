/** Residual branches of PyramidNets: Han, Kim, Kim 2017 (arXiv:1610.02915), fig. 6d. */
import type * as tf from "@tensorflow/tfjs-core"
import { relu } from "../../Ops/Activation.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import {
  type Context,
  cost,
  type Layer,
  sequential,
  stateless,
  type TrainingContext
} from "../Layer/Layer.ts"
import { convNorm } from "../Lowering/ConvNorm.ts"
import { convThenNorm, foldInto, hasOnes, movedOnes } from "../Lowering/Folding.ts"
import { normThenPointwise, pointwiseThenNorm } from "../Lowering/FusedPointwise.ts"
import type { Place } from "./Stages.ts"

export interface BranchOptions {
  readonly in: number
  /** Channels of the block's 3×3 convolutions. */
  readonly width: number
  readonly place: Place
}

export interface Branch extends Pick<Layer, "tensors" | "multiplyAdds"> {
  readonly train: (context: TrainingContext, x: tf.Tensor4D) => tf.Tensor4D
  /**
   * The branch times `factor`, with its normalisations in its convolutions. Where the sum with the shortcut has channels
   * of its own to spare, one of them holds ones.
   */
  readonly evaluate: (context: Context, x: tf.Tensor4D, factor: number) => tf.Tensor4D
}

/** BN, 3×3, BN, ReLU, 3×3, BN: no ReLU before the first convolution. */
export const basic = (name: string, { in: inputs, place, width }: BranchOptions): Branch => {
  const { size, stride } = place
  const [bn1, bn2, bn3] = [1, 2, 3].map((index) => `${name}.bn${index}`)
  const [conv1, conv2] = [1, 2].map((index) => `${name}.conv${index}`)
  const first = batchNorm(bn1, inputs)
  const middle = sequential([
    convNorm({ conv: conv1, norm: bn2 }, { in: inputs, out: width, kernel: 3, stride, size }),
    stateless(relu)
  ])
  const last = convNorm({ conv: conv2, norm: bn3 }, { in: width, out: width, kernel: 3, size })
  return {
    ...cost([first, middle, last]),
    train: sequential([first, middle, last]).apply,
    evaluate: (context, x, factor) => {
      const hidden = hasOnes(inputs)
        ? middle.apply(foldInto(context, { norm: bn1, conv: conv1, next: bn2 }), x)
        : middle.apply(context, first.apply(context, x))
      const added = movedOnes(inputs, width)
      return convThenNorm(context, { conv: conv2, norm: bn3 }, hidden, { factor, added })
    }
  }
}

/** Channels that a bottleneck gives for each of its width. */
export const EXPANSION = 4

/** BN, 1×1, BN, ReLU, 3×3, BN, ReLU, 1×1, BN. */
export const bottleneck = (name: string, { in: inputs, place, width }: BranchOptions): Branch => {
  const { inputSize, size, stride } = place
  const [bn1, bn2, bn3, bn4] = [1, 2, 3, 4].map((index) => `${name}.bn${index}`)
  const [conv1, conv2, conv3] = [1, 2, 3].map((index) => `${name}.conv${index}`)
  const out = EXPANSION * width
  const first = batchNorm(bn1, inputs)
  const reduce = convNorm({ conv: conv1, norm: bn2 }, { in: inputs, out: width, kernel: 1, size: inputSize })
  const second = batchNorm(bn2, width)
  const middle = sequential([
    stateless(relu),
    convNorm({ conv: conv2, norm: bn3 }, { in: width, out: width, kernel: 3, stride, size }),
    stateless(relu)
  ])
  const expand = convNorm({ conv: conv3, norm: bn4 }, { in: width, out, kernel: 1, size })
  return {
    ...cost([first, reduce, middle, expand]),
    train: (context, x) => {
      const reduced = normThenPointwise(context, { norm: bn1, conv: conv1 }, x)
      const hidden = middle.apply(context, second.apply(context, reduced))
      return pointwiseThenNorm(context, { conv: conv3, norm: bn4 }, hidden)
    },
    evaluate: (context, x, factor) => {
      const folded = foldInto(context, { norm: bn1, conv: conv1, next: bn2 })
      const hidden = middle.apply(folded, reduce.apply(folded, x))
      return convThenNorm(context, { conv: conv3, norm: bn4 }, hidden, { factor })
    }
  }
}
