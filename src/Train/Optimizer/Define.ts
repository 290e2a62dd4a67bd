/** Optimisers as values: what is kept of each parameter, and how one is updated. */
import type * as tf from "@tensorflow/tfjs-core"
import type * as Schema from "effect/Schema"
import {
  type Definition,
  type InputOf,
  type OptionsOf,
  type Registered,
  type Stated,
  statedSchema
} from "../../Config/Registered.ts"
import type { TensorKind } from "../../Model/Layer/Layer.ts"

/** Tensors that are kept of one parameter, by their names. */
export type Slots = Readonly<Record<string, tf.Tensor>>

/** What an update depends on besides the parameter, its gradient and what is kept of it. */
export interface UpdateContext {
  readonly kind: TensorKind
  /** Of the schedule, times the multiplier of the parameter's group: a float32 scalar. */
  readonly learningRate: tf.Tensor
  /** Updates that were made before: an int32 scalar. */
  readonly step: tf.Scalar
  /** Of the parameter's group; the optimiser's own where it is undefined. */
  readonly weightDecay: number | undefined
}

/** A parameter after an update, and what is kept of it. */
export interface Updated {
  readonly parameter: tf.Tensor
  readonly slots: Slots
}

export interface Optimizer {
  /** Names of what is kept of a parameter of a kind. Each is as large as the parameter, and starts with zeros. */
  readonly slots: (kind: TensorKind) => ReadonlyArray<string>
  /**
   * One update of one parameter. What it is given are tensors of the program's state; SGD changes them in place, and
   * what it returns has to be the new state.
   */
  readonly update: (parameter: tf.Tensor, gradient: tf.Tensor, slots: Slots, at: UpdateContext) => Updated
}

/** What of a training an optimiser's options are relative to. */
export interface OptimizerContext {
  /** The highest of the schedule (`train.learningRate`). */
  readonly learningRate: number
}

export interface OptimizerDefinition<Options extends Registered = Registered, Input = unknown>
  extends Definition<Options, Input> {
  make(options: Options, context: OptimizerContext): Optimizer
}

interface StatedOptimizer<Name extends string, Fields extends Schema.Struct.Fields>
  extends Stated<Name, Fields> {
  readonly make: (options: OptionsOf<Name, Fields>, context: OptimizerContext) => Optimizer
}

/** An optimiser of one's own, or of this library: what a configuration names as `train.optimizer`. */
export const defineOptimizer = <const Name extends string, const Fields extends Schema.Struct.Fields>(
  stated: StatedOptimizer<Name, Fields>
): OptimizerDefinition<OptionsOf<Name, Fields>, InputOf<Name, Fields>> => ({
  ...stated,
  schema: statedSchema(stated)
})
