/** Golden values made with PyTorch, and how far from them a result may be. */
import { readFileSync } from "node:fs"
import { assert } from "@effect/vitest"
import { float32, type HostTensor, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { decode } from "../../src/Tensor/Safetensors.ts"

const file = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url)

export const readTensors = (name: string): TensorRecord => decode(readFileSync(file(name))).tensors

export const readJson = <A>(name: string): A => JSON.parse(readFileSync(file(name), "utf8"))

/** [out, in, h, w] → [h, w, in, out] */
const kernel = ({ data, shape }: HostTensor): HostTensor<"float32"> => {
  const [o, i, h, w] = shape
  const result = new Float32Array(data.length)
  for (let p = 0; p < h * w; p++)
    for (let k = 0; k < i; k++)
      for (let n = 0; n < o; n++) result[(p * i + k) * o + n] = data[(n * i + k) * h * w + p]
  return float32([h, w, i, o], result)
}

/** Weights that PyTorch has written, in device layouts: those of rank 4 are kernels. Its counts of batches are left out. */
export const stateOf = (stateDict: TensorRecord): TensorRecord =>
  Object.fromEntries(
    Object.entries(stateDict)
      .filter(([name]) => !name.endsWith(".num_batches_tracked"))
      .map(([name, value]) => [name, value.shape.length === 4 ? kernel(value) : value])
  )

/** The tensors under a prefix, without it and in device layouts. */
export const under = (tensors: TensorRecord, prefix: string): TensorRecord =>
  stateOf(
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : []
      )
    )
  )

/** NCHW → NHWC */
export const channelsLast = ({ data, shape }: HostTensor): HostTensor<"float32"> => {
  const [n, c, h, w] = shape
  const result = new Float32Array(data.length)
  for (let i = 0; i < n; i++)
    for (let k = 0; k < c; k++)
      for (let p = 0; p < h * w; p++) result[(i * h * w + p) * c + k] = data[(i * c + k) * h * w + p]
  return float32([n, h, w, c], result)
}

/** Largest absolute difference. */
export const distance = (a: HostTensor, b: HostTensor): number => {
  assert.deepStrictEqual(a.shape, b.shape)
  let largest = 0
  for (let i = 0; i < a.data.length; i++) largest = Math.max(largest, Math.abs(a.data[i] - b.data[i]))
  return largest
}

/** Euclidean distance. */
export const euclidean = (a: HostTensor, b: HostTensor): number => {
  assert.deepStrictEqual(a.shape, b.shape)
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2
  return Math.sqrt(sum)
}

/** Euclidean norm of all values together. */
export const norm = (tensors: ReadonlyArray<HostTensor>): number => {
  let sum = 0
  for (const { data } of tensors) for (const value of data) sum += value ** 2
  return Math.sqrt(sum)
}
