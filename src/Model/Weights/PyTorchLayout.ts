/**
 * Weights as PyTorch keeps them, and as the device takes them. Names are the same; only convolution kernels
 * differ: [out, in, height, width] there, [height, width, in, out] here. They are the only tensors of rank 4.
 */
import { float32, type HostTensor, type TensorRecord } from "../../Tensor/HostTensor.ts"

/** Permutes the axes of a rank-4 tensor: axis i of the result is axis `order[i]` of x. */
const transpose = (x: HostTensor, order: readonly [number, number, number, number]): HostTensor => {
  const strides = x.shape.map((_, i) => x.shape.slice(i + 1).reduce((a, b) => a * b, 1))
  const shape = order.map((axis) => x.shape[axis])
  const [s0, s1, s2, s3] = order.map((axis) => strides[axis])
  const [n0, n1, n2, n3] = shape
  const result = new Float32Array(x.data.length)
  let to = 0
  for (let i = 0; i < n0; i++)
    for (let j = 0; j < n1; j++)
      for (let k = 0; k < n2; k++) {
        let from = i * s0 + j * s1 + k * s2
        for (let l = 0; l < n3; l++, from += s3) result[to++] = x.data[from]
      }
  return float32(shape, result)
}

const mapKernels = (record: TensorRecord, f: (kernel: HostTensor) => HostTensor): TensorRecord =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, value.shape.length === 4 ? f(value) : value])
  )

/** Counts of batches that PyTorch keeps with its running statistics; nothing here needs them. */
const isBatchCount = (name: string): boolean => name.endsWith(".num_batches_tracked")

/** From a PyTorch state dict to device layouts. */
export const fromPyTorch = (stateDict: TensorRecord): TensorRecord =>
  mapKernels(
    Object.fromEntries(Object.entries(stateDict).filter(([name]) => !isBatchCount(name))),
    (kernel) => transpose(kernel, [2, 3, 1, 0])
  )

/** From device layouts to those of a PyTorch state dict. */
export const toPyTorch = (weights: TensorRecord): TensorRecord =>
  mapKernels(weights, (kernel) => transpose(kernel, [3, 2, 0, 1]))

/** Images as PyTorch keeps them, [N,C,H,W], to [N,H,W,C]. */
export const channelsLast = (images: HostTensor): HostTensor<"float32"> =>
  transpose(images, [0, 2, 3, 1]) as HostTensor<"float32">
