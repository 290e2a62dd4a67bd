/**
 * A plain network of six 3×3 convolutions, each with batch normalisation and ReLU, in three stages of doubling
 * width with max-pooling between them; then global average pooling and a linear classifier.
 */
import { count } from "../../Config/Fields.ts"
import { relu } from "../../Ops/Activation.ts"
import { maxPool } from "../../Ops/Pooling.ts"
import { defineModel, type ModelOptions } from "../Define.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { pooledClassifier } from "../Layer/Classifier.ts"
import { conv } from "../Layer/Convolution.ts"
import { halve, type Layer, type Size, stateless } from "../Layer/Layer.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type Network, network } from "../Network.ts"

const fields = {
  /** Channels of the first stage. */
  width: count
}

export type SimpleCnnOptions = ModelOptions<typeof fields>

const pool = stateless((x) => maxPool(x, [2, 2], 2, "SAME"))

/** SimpleCNN-width. */
export const simpleCnn = ({ classes, size, width }: SimpleCnnOptions): Network => {
  const half = halve(size)
  const quarter = halve(half)
  const convolution = (index: number, inputs: number, out: number, size: Size): ReadonlyArray<Layer> => [
    conv(`conv${index}`, { in: inputs, out, kernel: 3, size }),
    batchNorm(`bn${index}`, out),
    stateless(relu)
  ]
  const features = sequential([
    ...convolution(1, 3, width, size),
    ...convolution(2, width, width, size),
    pool,
    ...convolution(3, width, 2 * width, half),
    ...convolution(4, 2 * width, 2 * width, half),
    pool,
    ...convolution(5, 2 * width, 4 * width, quarter),
    ...convolution(6, 4 * width, 4 * width, quarter)
  ])
  return network(`SimpleCNN-${width}`, classes, pooledClassifier(features, 4 * width, classes))
}

export const SimpleCnn = defineModel({
  name: "SimpleCnn",
  fields,
  make: simpleCnn,
  capabilities: { recompute: false, resize: true }
})
