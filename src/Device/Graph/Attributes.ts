/** Attributes of TensorFlow's operations. */
import { TF } from "../Library/DataType.ts"
import type { Attribute } from "./Types.ts"

export const type = (name: string, value: number): Attribute => ({ kind: "type", name, value })
export const int = (name: string, value: number): Attribute => ({ kind: "int", name, value })
export const ints = (name: string, value: ReadonlyArray<number>): Attribute => ({ kind: "ints", name, value })
export const float = (name: string, value: number): Attribute => ({ kind: "float", name, value })
export const bool = (name: string, value: boolean): Attribute => ({ kind: "bool", name, value })
export const shape = (name: string, value: ReadonlyArray<number>): Attribute => ({
  kind: "shape",
  name,
  value
})
export const string = (name: string, value: string): Attribute => ({ kind: "string", name, value })

/** The element type of most operations. */
export const FLOAT = type("T", TF.FLOAT)

/** Of a cast from one element type to another. */
export const casting = (from: number, to: number): ReadonlyArray<Attribute> => [
  type("SrcT", from),
  type("DstT", to)
]

/** Where windows may lie: over the border too, so that every pixel is in one, or inside only. */
export type Padding = "SAME" | "VALID"

/** Of convolutions and pooling over NHWC and of their gradients. */
export const windowed = (stride: number, padding: Padding): ReadonlyArray<Attribute> => [
  FLOAT,
  ints("strides", [1, stride, stride, 1]),
  string("padding", padding)
]

/** Of a batch normalisation over NHWC, with the statistics of the batch when training. */
export const normalisation = (epsilon: number, training: boolean): ReadonlyArray<Attribute> => [
  FLOAT,
  type("U", TF.FLOAT),
  float("epsilon", epsilon),
  string("data_format", "NHWC"),
  bool("is_training", training)
]
