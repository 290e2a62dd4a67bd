/**
 * Tensors outside a traced program: plain typed arrays with a shape, in row-major order.
 * They carry state to and from a device, batches, and the contents of safetensors files.
 */

/** Element types that cross between the host, the device and files. */
export type DType = "float32" | "int32" | "uint8"

interface TypedArrays {
  readonly float32: Float32Array
  readonly int32: Int32Array
  readonly uint8: Uint8Array
}

export interface HostTensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: ReadonlyArray<number>
  readonly data: TypedArrays[D]
}

/** A flat record of named tensors: a model's parameters, a program's state, a file's contents. */
export type TensorRecord = Readonly<Record<string, HostTensor>>

/** Number of elements of a shape; a scalar's shape `[]` has one. */
export const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1)

export const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

/** Element type and shape as people read them: `float32[16, 3, 3, 3]`. */
export const describeTensor = (dtype: string, shape: ReadonlyArray<number>): string =>
  `${dtype}[${shape.join(", ")}]`

export const float32 = (shape: ReadonlyArray<number>, data?: Float32Array): HostTensor<"float32"> => ({
  dtype: "float32",
  shape,
  data: data ?? new Float32Array(sizeOf(shape))
})

export const int32 = (shape: ReadonlyArray<number>, data?: Int32Array): HostTensor<"int32"> => ({
  dtype: "int32",
  shape,
  data: data ?? new Int32Array(sizeOf(shape))
})

export const uint8 = (shape: ReadonlyArray<number>, data?: Uint8Array): HostTensor<"uint8"> => ({
  dtype: "uint8",
  shape,
  data: data ?? new Uint8Array(sizeOf(shape))
})

/** A scalar float32, as programs take their learning rate. */
export const scalar = (value: number): HostTensor<"float32"> => float32([], Float32Array.of(value))

/** Names of the tensors that hold a NaN or an infinity. */
export const nonFinite = (tensors: TensorRecord): ReadonlyArray<string> =>
  Object.entries(tensors)
    .filter(([, { data, dtype }]) => dtype === "float32" && !data.every(Number.isFinite))
    .map(([name]) => name)
