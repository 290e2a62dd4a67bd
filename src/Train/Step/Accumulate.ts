/**
 * Gradient accumulation: a batch is taken in parts, each a run of the program, and the step is made from the mean of
 * their gradients. No more memory is needed than for one part, whatever their number; the result is that of the whole
 * batch, but that batch normalisation sees the parts (and moves its running statistics after each).
 */
import * as tf from "@tensorflow/tfjs-core"
import { entryPoint } from "../../Device.ts"
import type { Network } from "../../Model/Network.ts"
import { float32, type TensorRecord } from "../../Tensor/HostTensor.ts"
import {
  batchInputs,
  batchOf,
  type Images,
  INTEGER,
  keyAt,
  NUMBER,
  updateInputs,
  updateOf
} from "./EntryPoints.ts"
import { agreed, keyOf, meanGradients, type StepReplicas, type Told } from "./Replicas.ts"
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
  { parts, scale }: { readonly parts: number; readonly scale: number }
) =>
  entryPoint({
    inputs: { ...batchInputs(images), part: INTEGER },
    collective: options.replicas?.synchronised ?? false,
    run: (state, input) => {
      const part = { index: input.part as tf.Scalar, of: parts }
      const key = keyOf(keyAt(state, input.step), options.replicas, part)
      const { correct, gradients, loss, statistics } = gradientsOf(network, options, state, {
        ...batchOf(images, input, scale),
        key
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

/** The gradients that were accumulated, and the running statistics after the last part. */
const accumulated = ({ tensors }: Network, state: Readonly<Record<string, tf.Tensor>>) => {
  const gradients: Record<string, tf.Tensor> = {}
  const statistics: Record<string, tf.Tensor> = {}
  for (const { name, role } of tensors) {
    if (role === "parameter") gradients[name] = state[accumulatedOf(name)]
    if (role === "statistic") statistics[name] = state[name]
  }
  return { gradients, statistics }
}

/** The step that follows the last part. */
export const applicationEntry = (network: Network, options: StepOptions) =>
  entryPoint({
    inputs: updateInputs(options),
    run: (state, input) =>
      applyGradients(network, options, state, accumulated(network, state), updateOf(options, input))
  })

/** As `applicationEntry`, where other replicas have accumulated other gradients; their losses are given with it. */
export const replicatedApplicationEntry = (network: Network, options: StepOptions, replicas: StepReplicas) =>
  entryPoint({
    inputs: { ...updateInputs(options), loss: NUMBER, correct: NUMBER, stop: NUMBER },
    collective: true,
    run: (state, input) => {
      const { gradients: own, statistics: ownStatistics } = accumulated(network, state)
      const told = { loss: input.loss, correct: input.correct, stop: input.stop, statistics: ownStatistics }
      const { statistics, ...output } = agreed(told as Told, replicas)
      const gradients = meanGradients(own, replicas)
      const next = applyGradients(
        network,
        options,
        state,
        { gradients, statistics },
        updateOf(options, input)
      )
      return { state: next.state, output: { ...output, ...next.output } }
    }
  })
