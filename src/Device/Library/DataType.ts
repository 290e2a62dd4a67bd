/** Element types, by TensorFlow's numbers for them (`TF_DataType`). */
import type { DType } from "../../Tensor/HostTensor.ts"

export const TF = {
  FLOAT: 1,
  INT32: 3,
  UINT8: 4,
  STRING: 7,
  COMPLEX64: 8,
  INT64: 9,
  BOOL: 10,
  BFLOAT16: 14,
  RESOURCE: 20
} as const

/** TensorFlow's number of each element type of host tensors. */
export const DTYPE: Readonly<Record<DType, number>> = { float32: TF.FLOAT, int32: TF.INT32, uint8: TF.UINT8 }

/** Bytes that an element takes, for the types that constants and feeds use. */
export const BYTES: Readonly<Record<number, number>> = {
  [TF.FLOAT]: 4,
  [TF.INT32]: 4,
  [TF.UINT8]: 1,
  [TF.INT64]: 8,
  [TF.BOOL]: 1
}
