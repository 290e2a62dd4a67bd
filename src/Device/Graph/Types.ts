/** The terms in which a TensorFlow graph is described: its operations, their attributes, and the values between them. */
import type { Pointer, TFOutput } from "../Library/CApi.ts"

/** An attribute of an operation, as TensorFlow's op definitions name them. */
export type Attribute =
  | { readonly kind: "type"; readonly name: string; readonly value: number }
  | { readonly kind: "int"; readonly name: string; readonly value: number }
  | { readonly kind: "ints"; readonly name: string; readonly value: ReadonlyArray<number> }
  | { readonly kind: "float"; readonly name: string; readonly value: number }
  | { readonly kind: "bool"; readonly name: string; readonly value: boolean }
  | { readonly kind: "string"; readonly name: string; readonly value: string }
  | { readonly kind: "shape"; readonly name: string; readonly value: ReadonlyArray<number> }

/** A value in a graph. `shape` is undefined when TensorFlow cannot infer it before running. */
export interface GraphTensor {
  readonly output: TFOutput
  readonly dtype: number
  readonly shape: ReadonlyArray<number> | undefined
}

export interface Operation {
  readonly name: string
  readonly pointer: Pointer<"Operation">
  readonly outputs: ReadonlyArray<GraphTensor>
}

/** An input of an operation: one value, or the values of a list input such as `ConcatV2`'s. */
export type Input = GraphTensor | ReadonlyArray<GraphTensor>

/** Adds an operation to a graph. `controls` are operations that must have run before it. */
export type Insert = (
  type: string,
  inputs: ReadonlyArray<Input>,
  attributes: ReadonlyArray<Attribute>,
  controls: ReadonlyArray<Pick<Operation, "pointer">>
) => Operation

/** What one kind of run of a graph needs: where its inputs go, what is fetched, which operations run besides. */
export interface Signature {
  /** For error messages: `run train`. */
  readonly doing: string
  readonly feeds: ReadonlyArray<GraphTensor>
  readonly fetches: ReadonlyArray<GraphTensor>
  readonly targets: ReadonlyArray<Operation>
  /** Whether its operations meet those of other processes. */
  readonly collective?: boolean
}

/** Which devices a graph may run on. */
export type Placement = { readonly _tag: "Cpu" } | { readonly _tag: "Gpu"; readonly index: number }

/**
 * What convolutions and matrix products compute in. With `bfloat16` TensorFlow rewrites the graph around them;
 * weights, normalisation statistics, losses and updates stay float32.
 */
export type Precision = "float32" | "bfloat16"
