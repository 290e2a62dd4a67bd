/**
 * PyTorch's layouts. Names of tensors are PyTorch's own; of layouts only those of convolution kernels differ: PyTorch has
 * [out, in, height, width], the device [height, width, in, out].
 */
import { float32, type HostTensor, sizeOf, type TensorRecord } from "../../Tensor/HostTensor.ts"
import type { TensorSpec } from "../Layer/Layer.ts"

/** What of a network says how its tensors lie in memory. */
export interface Layouts {
  readonly tensors: ReadonlyArray<Pick<TensorSpec, "name" | "kind" | "shape">>
}

/** The elements of [a, b, c] in the order of [c, b, a]. */
const reversed = (data: HostTensor["data"], [a, b, c]: readonly [number, number, number]): Float32Array => {
  const result = new Float32Array(data.length)
  let to = 0
  for (let k = 0; k < c; k++)
    for (let j = 0; j < b; j++) for (let i = 0; i < a; i++) result[to++] = data[(i * b + j) * c + k]
  return result
}

/** A kernel's shape as PyTorch has it. */
const pyTorchShape = (shape: ReadonlyArray<number>): ReadonlyArray<number> => [
  ...shape.slice(-2).reverse(),
  ...shape.slice(0, -2)
]

/** The shape of a tensor of a network as PyTorch has it. */
export const shapeInPyTorch = ({ kind, shape }: Pick<TensorSpec, "kind" | "shape">): ReadonlyArray<number> =>
  kind === "conv" ? pyTorchShape(shape) : shape

/** [...space, in, out] → [out, in, ...space] */
const kernelToPyTorch = ({ data, shape }: HostTensor): HostTensor => {
  const [inputs, out] = shape.slice(-2)
  return float32(pyTorchShape(shape), reversed(data, [sizeOf(shape.slice(0, -2)), inputs, out]))
}

/** [out, in, ...space] → [...space, in, out] */
const kernelFromPyTorch = ({ data, shape }: HostTensor): HostTensor => {
  const [out, inputs, ...space] = shape
  return float32([...space, inputs, out], reversed(data, [out, inputs, sizeOf(space)]))
}

/**
 * Changes the kernels of a network's convolutions, and what a state keeps of them under `PREFIX/NAME`. What is no kernel
 * in spite of its name is left as it is.
 */
const mapKernels = (
  { tensors }: Layouts,
  record: TensorRecord,
  change: (kernel: HostTensor) => HostTensor
): TensorRecord => {
  const ranks = new Map(
    tensors.flatMap(({ kind, name, shape }) => (kind === "conv" ? [[name, shape.length] as const] : []))
  )
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      const rank = ranks.get(name) ?? ranks.get(name.slice(name.indexOf("/") + 1))
      const isKernel = value.dtype === "float32" && value.shape.length === rank
      return [name, isKernel ? change(value) : value]
    })
  )
}

/** From PyTorch's layouts to the device's: weights of a network, or a state that is made of them. */
export const fromPyTorch = (network: Layouts, stateDict: TensorRecord): TensorRecord =>
  mapKernels(network, stateDict, kernelFromPyTorch)

/** From the device's layouts to PyTorch's: weights of a network, or a state that is made of them. */
export const toPyTorch = (network: Layouts, weights: TensorRecord): TensorRecord =>
  mapKernels(network, weights, kernelToPyTorch)

/** Images as PyTorch keeps them, [N,C,H,W], to [N,H,W,C]. */
export const channelsLast = ({ data, shape }: HostTensor): HostTensor<"float32"> => {
  const [n, channels, height, width] = shape
  const pixels = height * width
  const result = new Float32Array(data.length)
  let to = 0
  for (let i = 0; i < n; i++)
    for (let p = 0; p < pixels; p++)
      for (let c = 0; c < channels; c++) result[to++] = data[(i * channels + c) * pixels + p]
  return float32([n, height, width, channels], result)
}
