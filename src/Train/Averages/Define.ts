/** Averages of weights as values: how one starts, and how it follows the weights that are trained. */
import type * as tf from "@tensorflow/tfjs-core"
import type * as Schema from "effect/Schema"
import type { ConfiguredAverage } from "../../Config/Weights.ts"
import type { Network } from "../../Model/Network.ts"
import type { Tensors } from "../../Ops/Gradients.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"

/** A step of a run. */
export interface StepPlace {
  /** Steps done before. */
  readonly step: number
  readonly stepsPerEpoch: number
  /** Of the whole run. */
  readonly steps: number
}

/** What is done in every step. */
export interface AfterStep {
  /** A number for the step, which `update` is given as a scalar. */
  readonly coefficient: (at: StepPlace) => number
  /**
   * Entries of the state after the step: the averages, and the weights themselves where the average changes them.
   * `weights` are parameters and batch statistics after the optimiser's update.
   */
  readonly update: (state: Tensors, weights: Tensors, coefficient: tf.Tensor) => Tensors
}

/** What is done at the end of some epochs. */
export interface AfterEpoch {
  /** How many weights the average is of, after that many epochs. */
  readonly count: (epochs: number) => number
  /** Averages with the weights as they are now; `share` is 1/n for the n-th. */
  readonly update: (network: Network, state: Tensors, share: tf.Tensor) => Tensors
}

/** What a run does with an average. */
interface Following {
  /** Where the average of a tensor of the network is kept in the state. */
  readonly keptAs: (tensor: string) => string
  /** The averages before the first step, by the names of the state. */
  readonly init: (network: Network, weights: TensorRecord) => TensorRecord
  readonly afterStep?: AfterStep
  readonly afterEpoch?: AfterEpoch
  /** Whether its batch statistics are measured anew before it is evaluated, because they are averages of nothing. */
  readonly refreshStatistics: boolean
}

/** An average that a run keeps. */
export interface Average extends Following {
  readonly name: string
  /** Whether it is evaluated; what is not only changes the weights that are trained. */
  readonly evaluated: boolean
}

/** An average that is updated in every step. */
export interface SteppedAverage extends Average {
  readonly afterStep: AfterStep
}

/** Those that are updated in every step. */
export const steppedOf = (averages: ReadonlyArray<Average>): ReadonlyArray<SteppedAverage> =>
  averages.filter((average): average is SteppedAverage => average.afterStep !== undefined)

/** Averages that start as the weights, for every tensor of a network. */
export const startingAt =
  (keptAs: Average["keptAs"]): Average["init"] =>
  (network, weights) =>
    Object.fromEntries(network.tensors.map(({ name }) => [keptAs(name), weights[name]]))

interface StatedAverage<Name extends string, S extends Schema.Codec<unknown, unknown>> {
  /** Its key in a training's configuration. */
  readonly name: Name
  /** Of its options. */
  readonly schema: S
  readonly evaluated: boolean
  /** What is wrong with options that are right one by one; paths begin at the options. */
  readonly check?: (options: S["Type"], train: { readonly epochs: number }) => Schema.FilterIssue | undefined
  /** Its options in a trial of one epoch, where they are others. */
  readonly inOneEpoch?: (options: S["Type"]) => S["Type"]
  readonly make: (options: S["Type"]) => Following
}

/** An average that a configuration can name. */
export interface AverageDefinition<
  Name extends string = string,
  S extends Schema.Codec<unknown, unknown> = Schema.Codec<unknown, unknown>
> extends ConfiguredAverage {
  readonly name: Name
  readonly schema: S
  inOneEpoch(options: S["Type"]): S["Type"]
  make(options: S["Type"]): Average
}

/** An average of the weights: what a configuration names as a key of `train`. */
export const defineAverage = <const Name extends string, S extends Schema.Codec<unknown, unknown>>(
  stated: StatedAverage<Name, S>
): AverageDefinition<Name, S> => {
  const { evaluated, inOneEpoch = (options) => options, make, name } = stated
  return { ...stated, inOneEpoch, make: (options) => ({ name, evaluated, ...make(options) }) }
}
