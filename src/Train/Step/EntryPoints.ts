/** The entry points that every run has: one that trains on a batch, and one that evaluates images. */

import * as tf from "@tensorflow/tfjs-core"
import type { PerChannel } from "../../Data.ts"
import { entryPoint } from "../../Device.ts"
import type { Size } from "../../Model/Layer/Layer.ts"
import type { Network } from "../../Model/Network.ts"
import { type RandomKey, spread } from "../../Ops/Random.ts"
import { int32, type TensorRecord } from "../../Tensor/HostTensor.ts"
import { steppedOf } from "../Averages/Define.ts"
import { keyOf, type StepReplicas } from "./Replicas.ts"
import { resize, scaled } from "./Resize.ts"
import { type BatchInput, replicatedStep, type StepOptions, trainingStep, type UpdateInput } from "./Step.ts"

/** What a program has to know of the data. */
export interface Images {
  readonly size: Size
  /** In one run of the program. */
  readonly batchSize: number
  /** Mean and standard deviation of the channels, for pixels in [0, 1]. */
  readonly mean: PerChannel
  readonly std: PerChannel
}

/** Pixels 0 … 255 to zero mean and unit variance for each channel: (x/255 − mean)/std. [N,H,W,3] */
export const normalise = (pixels: tf.Tensor, { mean, std }: Pick<Images, "mean" | "std">): tf.Tensor4D => {
  const scale = std.map((deviation) => 1 / (255 * deviation))
  const shift = mean.map((value, i) => -value / std[i])
  return tf.add(tf.mul(pixels, tf.tensor1d(scale)), tf.tensor1d(shift))
}

export const pixels = ({ batchSize, size }: Images) =>
  ({ dtype: "uint8", shape: [batchSize, size.height, size.width, 3] }) as const

/** A float32 scalar. */
export const NUMBER = { dtype: "float32", shape: [] } as const
/** An int32 scalar. */
export const INTEGER = { dtype: "int32", shape: [] } as const

/** Inputs of an entry point that is given a batch to train on. */
export const batchInputs = (images: Images) => {
  const labels = { dtype: "int32", shape: [images.batchSize] } as const
  return {
    images: pixels(images),
    labelsA: labels,
    labelsB: labels,
    lambda: { dtype: "float32", shape: [images.batchSize] } as const,
    step: INTEGER
  }
}

/** The batch of such an entry point, normalised, with images of `scale` times their size, and as they are. */
export const batchOf = (
  images: Images,
  input: Readonly<Record<keyof ReturnType<typeof batchInputs>, tf.Tensor>>,
  scale: number
): Omit<BatchInput, "key"> => {
  const shown = normalise(
    scale === 1 ? input.images : resize(input.images, scaled(images.size, scale)),
    images
  )
  return {
    images: shown,
    whole: () => (scale === 1 ? shown : normalise(input.images, images)),
    labels: {
      a: input.labelsA as tf.Tensor1D,
      b: input.labelsB as tf.Tensor1D,
      lambda: input.lambda as tf.Tensor1D
    }
  }
}

/** Where a program's state has the seed of its draws, so that one program serves every seed. */
export const SEED = "seed"

export const seedState = (seed: number): TensorRecord => ({ [SEED]: int32([], Int32Array.of(spread(seed))) })

/** What a step's draws depend on, with the seed of the state. */
export const keyAt = (state: Readonly<Record<string, tf.Tensor>>, step: tf.Tensor): RandomKey => ({
  seed: state[SEED] as tf.Scalar,
  step: step as tf.Scalar
})

type CoefficientName = `${string}Coefficient`

/** Values of the averages that are updated in every step, by the names of inputs. */
export const coefficientInputs = <A>(
  averages: StepOptions["averages"],
  value: (average: string) => A
): Readonly<Record<CoefficientName, A>> =>
  Object.fromEntries(steppedOf(averages).map(({ name }) => [`${name}Coefficient`, value(name)]))

/** Inputs of an entry point that changes the weights. */
export const updateInputs = ({ averages }: Pick<StepOptions, "averages">) => ({
  step: INTEGER,
  learningRate: NUMBER,
  ...coefficientInputs(averages, () => NUMBER)
})

export const updateOf = (
  { averages }: Pick<StepOptions, "averages">,
  input: Readonly<Record<"step" | "learningRate" | CoefficientName, tf.Tensor>>
): UpdateInput => ({
  step: input.step as tf.Scalar,
  learningRate: input.learningRate,
  coefficients: Object.fromEntries(steppedOf(averages).map(({ name }) => [name, input[`${name}Coefficient`]]))
})

/** Images to logits [N,classes], with weights that are kept in the state under other names (`keptAs`). */
export const evaluationEntry = (
  network: Network,
  images: Images,
  keptAs: (name: string) => string = (name) => name
) =>
  entryPoint({
    inputs: { images: pixels(images) },
    prepared: true,
    run: (state, input) => {
      const weights = Object.fromEntries(network.tensors.map(({ name }) => [name, state[keptAs(name)]]))
      const { logits } = network.apply(weights, normalise(input.images, images), { _tag: "Evaluation" })
      return { output: { logits } }
    }
  })

/** One step of training on a batch, whose images are first scaled. */
export const trainingEntry = (network: Network, images: Images, options: StepOptions, scale = 1) =>
  entryPoint({
    inputs: { ...batchInputs(images), ...updateInputs(options) },
    run: (state, input) =>
      trainingStep(network, options, state, {
        ...batchOf(images, input, scale),
        ...updateOf(options, input),
        key: keyAt(state, input.step)
      })
  })

/** As `trainingEntry`, on a part of the batch, where other replicas have the others. */
export const replicatedEntry = (
  network: Network,
  images: Images,
  options: StepOptions,
  { replicas, scale }: { readonly scale: number; readonly replicas: StepReplicas }
) =>
  entryPoint({
    inputs: { ...batchInputs(images), ...updateInputs(options), stop: NUMBER },
    collective: true,
    run: (state, input) =>
      replicatedStep(network, options, replicas, state, {
        ...batchOf(images, input, scale),
        ...updateOf(options, input),
        key: keyOf(keyAt(state, input.step), replicas),
        stop: input.stop as tf.Scalar
      })
  })
