/**
 * Mixed precision on a GPU, decided for each operation while it is recorded: convolutions and products in bfloat16, and
 * feature maps between them too, where that costs no sums their digits. What is not named here is float32: statistics,
 * losses, gradients of parameters, updates. As `torch.autocast` does it (on a CPU TensorFlow does it by itself).
 */
import { TF } from "../Library/DataType.ts"
import { casting } from "./Attributes.ts"
import type { Attribute, GraphTensor, Input, Insert, Operation } from "./Types.ts"

/** Those that the tensor cores compute; sums in them are float32. */
const PRODUCTS = new Set([
  "BatchMatMulV2",
  "Conv2D",
  "Conv2DBackpropFilter",
  "Conv2DBackpropInput",
  "Einsum",
  "MatMul"
])

/** Those that take feature maps as they come. */
const FOLLOWING = new Set([
  "AddV2",
  "AvgPool",
  "AvgPoolGrad",
  "BiasAdd",
  "ConcatV2",
  "MaxPool",
  "MaxPoolGrad",
  "Mul",
  "Pad",
  "PadV2",
  "Relu",
  "ReluGrad",
  "Reshape",
  "Slice",
  "StridedSlice",
  "Sub",
  "Transpose"
])

/** Of these only so many first inputs are maps; the others belong to channels. */
const NORMALISING: Readonly<Record<string, number>> = { FusedBatchNormV3: 1, FusedBatchNormGradV3: 2 }

const isMap = ({ shape }: GraphTensor): boolean => shape?.length === 4

/** Names the type of the operation's values, where that is a floating-point one. */
const typed = (one: Attribute, dtype: number): Attribute =>
  one.kind === "type" && one.name === "T" && (one.value === TF.FLOAT || one.value === TF.BFLOAT16)
    ? { ...one, value: dtype }
    : one

/** How many of an operation's first inputs are to be bfloat16. */
const lowered = (type: string, inputs: ReadonlyArray<Input>): number => {
  if (PRODUCTS.has(type)) return Infinity
  const maps = NORMALISING[type] ?? (FOLLOWING.has(type) ? Infinity : 0)
  const follows = inputs
    .slice(0, maps)
    .flat()
    .some((one) => one.dtype === TF.BFLOAT16 && isMap(one))
  return follows ? maps : 0
}

/** Adds an operation by `insert`, with its inputs, its type and its outputs cast as they have to be. */
export const autocast = (
  insert: Insert,
  ...[type, inputs, attributes, controls]: Parameters<Insert>
): Operation => {
  const castTo = (dtype: number, value: GraphTensor): GraphTensor => {
    if ((value.dtype !== TF.FLOAT && value.dtype !== TF.BFLOAT16) || value.dtype === dtype) return value
    return insert("Cast", [value], casting(value.dtype, dtype), []).outputs[0]
  }
  const count = lowered(type, inputs)
  const given = inputs.map((input, i) => {
    const wanted = i < count ? TF.BFLOAT16 : TF.FLOAT
    return "output" in input ? castTo(wanted, input) : input.map((one) => castTo(wanted, one))
  })
  const dtype = count === 0 ? TF.FLOAT : TF.BFLOAT16
  const operation = insert(
    type,
    given,
    attributes.map((one) => typed(one, dtype)),
    controls
  )
  if (count === 0) return operation
  const stays = type !== "Conv2DBackpropFilter"
  const outputs = operation.outputs.map((one) => (stays && isMap(one) ? one : castTo(TF.FLOAT, one)))
  return { ...operation, outputs }
}
