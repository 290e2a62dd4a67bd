/**
 * What is compiled for a run: one entry point that trains on a batch, and one that evaluates images with the
 * raw weights or with their averages.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { PerChannel } from "../Data.ts"
import { entryPoint } from "../Device.ts"
import type { Size, Weights } from "../Model/Layer.ts"
import type { Network } from "../Model/Network.ts"
import { averageOf } from "./Average.ts"
import { type StepOptions, trainingStep } from "./Step.ts"

/** What a program has to know of the data. */
export interface Images {
  readonly size: Size
  readonly batchSize: number
  /** Mean and standard deviation of the channels, for pixels in [0, 1]. */
  readonly mean: PerChannel
  readonly std: PerChannel
}

/** Which of a run's weights are evaluated. */
export type WeightsName = "raw" | "ema"

/** Pixels 0 … 255 to zero mean and unit variance for each channel: (x/255 − mean)/std. [N,H,W,3] */
export const normalise = (pixels: tf.Tensor, { mean, std }: Pick<Images, "mean" | "std">): tf.Tensor4D => {
  const scale = std.map((deviation) => 1 / (255 * deviation))
  const shift = mean.map((value, i) => -value / std[i])
  return tf.add(tf.mul(pixels, tf.tensor1d(scale)), tf.tensor1d(shift))
}

const pixels = ({ batchSize, size }: Images) =>
  ({ dtype: "uint8", shape: [batchSize, size.height, size.width, 3] }) as const

const weightsOf = (network: Network, state: Weights, weights: WeightsName): Weights =>
  weights === "raw"
    ? state
    : Object.fromEntries(network.tensors.map(({ name }) => [name, state[averageOf(name)]]))

/** Images to logits [N,classes]. */
export const evaluationEntry = (network: Network, images: Images, weights: WeightsName) =>
  entryPoint({
    inputs: { images: pixels(images) },
    run: (state, input) => ({
      output: {
        logits: network.apply(weightsOf(network, state, weights), normalise(input.images, images), {
          _tag: "Evaluation"
        }).logits
      }
    })
  })

/** One step of training on a batch. */
export const trainingEntry = (network: Network, images: Images, options: StepOptions, seed: number) => {
  const labels = { dtype: "int32", shape: [images.batchSize] } as const
  const number = { dtype: "float32", shape: [] } as const
  return entryPoint({
    inputs: {
      images: pixels(images),
      labelsA: labels,
      labelsB: labels,
      lambda: { dtype: "float32", shape: [images.batchSize] },
      learningRate: number,
      averageDecay: number,
      step: { dtype: "int32", shape: [] }
    },
    run: (state, input) =>
      trainingStep(network, options, state, {
        images: normalise(input.images, images),
        labels: {
          a: input.labelsA as tf.Tensor1D,
          b: input.labelsB as tf.Tensor1D,
          lambda: input.lambda as tf.Tensor1D
        },
        learningRate: input.learningRate,
        averageDecay: input.averageDecay,
        key: { seed, step: input.step as tf.Scalar }
      })
  })
}
