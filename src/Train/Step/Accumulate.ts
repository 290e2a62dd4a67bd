/**
 * Gradient accumulation: a batch is taken in parts, each a run of the program, and the step is made from the mean of
 * their gradients. No more memory is needed than for one part, whatever their number; the result is that of the whole
 * batch, but that batch normalisation sees the parts (and moves its running statistics after each).
 */
import * as tf from "@tensorflow/tfjs-core"
import { entryPoint } from "../../Device.ts"
import type { Network } from "../../Model/Network.ts"
import { float32, type TensorRecord } from "../../Tensor/HostTensor.ts"
import { batchInputs, batchOf, type Images, INTEGER, updateInputs, updateOf } from "./EntryPoints.ts"
import { applyGradients, gradientsOf, type StepOptions } from "./Step.ts"

const ACCUMULATED = "accumulated/"

/** Where the gradients of the parts so far are kept in the state. */
const accumulatedOf = (parameter: string): string => `${ACCUMULATED}${parameter}`

/** Whether a name of the state is that of an accumulated gradient. */
export const isAccumulated = (name: string): boolean => name.startsWith(ACCUMULATED)

/** Gradients before the first part. */
export const initialAccumulation = (network: Network): TensorRecord =>
  Object.fromEntries(
    network.tensors.flatMap(({ name, role, shape }) =>
      role === "parameter" ? [[accumulatedOf(name), float32(shape)]] : []
    )
  )

/** Gradients of a part, of which a batch has `parts`; the first one of a batch forgets those of the batch before. */
export const accumulationEntry = (
  network: Network,
  images: Images,
  options: StepOptions,
  { parts, scale, seed }: { readonly parts: number; readonly scale: number; readonly seed: number }
) =>
  entryPoint({
    inputs: { ...batchInputs(images), part: INTEGER },
    run: (state, input) => {
      const part = { index: input.part as tf.Scalar, of: parts }
      const { correct, gradients, loss, statistics } = gradientsOf(network, options, state, {
        ...batchOf(images, input, scale),
        key: { seed, step: input.step as tf.Scalar, part }
      })
      const kept = tf.cast(tf.greater(input.part, 0), "float32")
      const next: Record<string, tf.Tensor> = { ...statistics }
      for (const [name, gradient] of Object.entries(gradients)) {
        const before = tf.mul(state[accumulatedOf(name)], kept)
        next[accumulatedOf(name)] = tf.add(before, tf.mul(gradient, 1 / parts))
      }
      return { state: next, output: { loss, correct } }
    }
  })

/** The step that follows the last part. */
export const applicationEntry = (network: Network, options: StepOptions) =>
  entryPoint({
    inputs: updateInputs(options),
    run: (state, input) => {
      const gradients: Record<string, tf.Tensor> = {}
      const statistics: Record<string, tf.Tensor> = {}
      for (const { name, role } of network.tensors) {
        if (role === "parameter") gradients[name] = state[accumulatedOf(name)]
        if (role === "statistic") statistics[name] = state[name]
      }
      return applyGradients(network, options, state, { gradients, statistics }, updateOf(options, input))
    }
  })
