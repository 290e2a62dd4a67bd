/** One training step as a pure function of the state and a batch: gradients, and what is made of them. */
import * as tf from "@tensorflow/tfjs-core"
import type { Network } from "../../Model/Network.ts"
import { type Tensors, valueAndGradients } from "../../Ops/Gradients.ts"
import type { RandomKey } from "../../Ops/Random.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { type Average, steppedOf } from "../Averages/Define.ts"
import { globalNorm, initialSlots, type OptimizerOptions, optimizerStep } from "../Optimizer/Optimizer.ts"
import { ascend, type SamOptions } from "../Optimizer/Sam.ts"
import { sgd } from "../Optimizer/Sgd.ts"
import { type Distillation, distillationLoss, softTargets } from "./Distillation.ts"
import { correctOf, crossEntropy, type LossFunction, type MixedLabels, targets } from "./Loss.ts"
import { agreed, meanGradients, type StepReplicas } from "./Replicas.ts"

export interface StepOptions extends OptimizerOptions {
  /** Of logits against the labels' target distributions. */
  readonly loss: LossFunction
  readonly labelSmoothing: number
  /** Averages of the weights that are kept, in the order in which they are updated. */
  readonly averages: ReadonlyArray<Average>
  readonly sam: SamOptions | undefined
  readonly distillation: Distillation | undefined
  /** Whether blocks are computed again in the backward pass, in place of keeping what they computed. */
  readonly recompute: boolean
  /** Those that each take a part of the batch; undefined where there are no others. */
  readonly replicas: StepReplicas | undefined
}

/** SGD on the cross entropy, without anything that a configuration can add. */
export const PLAIN_STEP: StepOptions = {
  optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
  paramGroups: {},
  clipGradNorm: undefined,
  loss: crossEntropy,
  labelSmoothing: 0,
  averages: [],
  sam: undefined,
  distillation: undefined,
  recompute: false,
  replicas: undefined
}

export interface BatchInput {
  /** Normalised images, [N,H,W,3]. */
  readonly images: tf.Tensor4D
  /** The same images in their whole size, which teachers see; those above unless given. */
  readonly whole?: () => tf.Tensor4D
  readonly labels: MixedLabels
  readonly key: RandomKey
}

export interface UpdateInput {
  readonly learningRate: tf.Tensor
  /** Steps done before: an int32 scalar. */
  readonly step: tf.Scalar
  /** Of the averages that are updated in every step, by their names. */
  readonly coefficients: Tensors
}

/** What a batch gives. */
export interface BatchResult {
  /** Of the mean loss, by parameter. */
  readonly gradients: Tensors
  /** Running statistics after the batch, by name. */
  readonly statistics: Tensors
  /** Mean over the batch. */
  readonly loss: tf.Scalar
  /** Number of right predictions. */
  readonly correct: tf.Scalar
}

/** State before the first step: weights, what the optimiser keeps, and averages that start at the weights. */
export const initialState = (
  network: Network,
  weights: TensorRecord,
  { averages, optimizer }: Pick<StepOptions, "averages" | "optimizer">
): TensorRecord => ({
  ...weights,
  ...initialSlots(optimizer, network.tensors),
  ...Object.assign({}, ...averages.map(({ init }) => init(network, weights)))
})

/** The network's parameters among the tensors of a state. */
export const parametersOf = (network: Network, state: Tensors): Tensors =>
  Object.fromEntries(
    network.tensors.flatMap(({ name, role }) => (role === "parameter" ? [[name, state[name]]] : []))
  )

/**
 * Fails the tracing where a network or a loss, which may be somebody's own, gives another shape than was agreed: a
 * gradient of many losses is that of their sum, and targets broadcast.
 */
const checkShape = (what: string, { shape }: tf.Tensor, expected: ReadonlyArray<number>): void => {
  if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return
  const described = (sizes: ReadonlyArray<number>) =>
    sizes.length === 0 ? "a scalar" : `a tensor [${sizes.join(",")}]`
  throw new Error(`${what} gives ${described(shape)}, not ${described(expected)}`)
}

/**
 * The loss of a batch, and its gradients. With SAM these are those at a place nearby, where the batch goes through the
 * network a second time, with the same draws; the running statistics are those of the first time, at the weights
 * themselves, because only these are ever evaluated.
 */
export const gradientsOf = (
  network: Network,
  options: StepOptions,
  state: Tensors,
  { images, key, labels, whole = () => images }: BatchInput
): BatchResult => {
  const { distillation, labelSmoothing, loss: lossOf, recompute, replicas, sam } = options
  const synchronised = replicas?.synchronised ? replicas : undefined
  const target = targets(labels, network.classes, labelSmoothing)
  const soft = distillation && softTargets(distillation, state, whole())
  const objective = (logits: tf.Tensor2D): tf.Scalar => {
    const loss = lossOf(logits, target)
    checkShape("the loss", loss, [])
    if (distillation === undefined || soft === undefined) return loss
    const { temperature, weight } = distillation
    return tf.add(tf.mul(loss, 1 - weight), tf.mul(distillationLoss(logits, soft, temperature), weight))
  }
  const pass = (parameters: Tensors) =>
    valueAndGradients(() => {
      const weights = { ...state, ...parameters }
      const { logits, statistics } = network.apply(weights, images, {
        ...{ _tag: "Training", key, recompute, synchronised }
      })
      checkShape(`the network ${network.name}`, logits, target.shape)
      return { loss: objective(logits), auxiliary: { ...statistics, logits } }
    }, parameters)

  const parameters = parametersOf(network, state)
  const { auxiliary, gradients, loss } = pass(parameters)
  const { logits, ...statistics } = auxiliary
  // The worst place nearby is that of the whole batch.
  const ascended = (sam: SamOptions) => {
    const common = replicas === undefined ? gradients : meanGradients(gradients, replicas)
    return ascend(network.tensors, parameters, common, sam)
  }
  return {
    gradients: sam === undefined ? gradients : pass(ascended(sam)).gradients,
    statistics,
    loss,
    correct: correctOf(logits as tf.Tensor2D, labels)
  }
}

/** Weights after the optimiser's update, and their averages: what follows the weights in every step, in turn. */
const follow = (
  averages: ReadonlyArray<Average>,
  state: Tensors,
  updated: Tensors,
  coefficients: Tensors
): Tensors => {
  let weights = updated
  let kept: Tensors = {}
  for (const { afterStep, name } of steppedOf(averages)) {
    const entries = afterStep.update(state, weights, coefficients[name])
    weights = Object.fromEntries(Object.keys(weights).map((key) => [key, entries[key] ?? weights[key]]))
    kept = { ...kept, ...entries }
  }
  return { ...kept, ...weights }
}

/** The new state, and the gradients' norm. `statistics` are the running statistics after the step's batch. */
export const applyGradients = (
  { tensors }: Network,
  options: StepOptions,
  state: Tensors,
  { gradients, statistics }: Pick<BatchResult, "gradients" | "statistics">,
  { coefficients, learningRate, step }: UpdateInput
) => {
  const gradientNorm = globalNorm(gradients)
  const updated = optimizerStep(tensors, state, gradients, gradientNorm, { learningRate, step }, options)
  const weights: Record<string, tf.Tensor> = { ...statistics }
  for (const name of Object.keys(gradients)) weights[name] = updated[name]
  const followed = follow(options.averages, state, weights, coefficients)
  return { state: { ...updated, ...followed }, output: { gradientNorm } }
}

/** The new state, and of this batch the mean loss, the number of right predictions and the gradients' norm. */
export const trainingStep = (
  network: Network,
  options: StepOptions,
  state: Tensors,
  input: BatchInput & UpdateInput
) => {
  const { correct, loss, ...batch } = gradientsOf(network, options, state, input)
  const next = applyGradients(network, options, state, batch, input)
  return { state: next.state, output: { loss, correct, ...next.output } }
}

/** As `trainingStep`, of a batch of which each replica has a part; `stop` says whether this one wants to stop. */
export const replicatedStep = (
  network: Network,
  options: StepOptions,
  replicas: StepReplicas,
  state: Tensors,
  { stop, ...input }: BatchInput & UpdateInput & { readonly stop: tf.Scalar }
) => {
  const { gradients: own, ...told } = gradientsOf(network, options, state, input)
  const { statistics, ...output } = agreed({ ...told, stop }, replicas)
  const gradients = meanGradients(own, replicas)
  const next = applyGradients(network, options, state, { gradients, statistics }, input)
  return { state: next.state, output: { ...output, ...next.output } }
}
