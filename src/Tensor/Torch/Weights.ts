/** The weights in a checkpoint: which of its records they are, and their numbers. */
import { READINGS } from "../Elements.ts"
import { type HostTensor, sizeOf, type TensorRecord } from "../HostTensor.ts"
import type { Container } from "./Container.ts"
import { isTensor, type TorchTensor, type TorchValue } from "./Vocabulary.ts"

/** Under which names programs keep weights, the likeliest first; averages only where there is nothing else. */
const NAMES = [
  ...[
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "module"
  ],
  ...["state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "ema"]
]

/** Records in records that are gone through. */
const DEPTH = 8

interface Found {
  readonly tensors: ReadonlyMap<string, TorchTensor>
  /** The names that lead to them. */
  readonly path: ReadonlyArray<string>
}

const tensorsIn = (record: ReadonlyMap<string, TorchValue>): ReadonlyMap<string, TorchTensor> =>
  new Map([...record].filter((entry): entry is [string, TorchTensor] => isTensor(entry[1])))

/** The record of tensors that a checkpoint is about. */
const find = (value: TorchValue, path: ReadonlyArray<string> = []): Found => {
  if (!(value instanceof Map) || path.length > DEPTH) throw new Error("it holds no record of tensors")
  const named = NAMES.find((name) => value.get(name) instanceof Map)
  const tensors = tensorsIn(value)
  if (tensors.size > 0 && named === undefined) return { tensors, path }
  const records = [...value].filter(([, one]) => one instanceof Map && tensorsIn(one).size > 0)
  const chosen = named ?? (records.length === 1 ? records[0][0] : undefined)
  if (chosen === undefined) {
    throw new Error(
      records.length === 0
        ? "it holds no record of tensors"
        : `it holds several records of tensors: ${records
            .slice(0, 4)
            .map(([name]) => name)
            .join(", ")}`
    )
  }
  return find(value.get(chosen) as TorchValue, [...path, chosen])
}

const isContiguous = ({ shape, strides }: TorchTensor): boolean => {
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false
    step *= shape[axis]
  }
  return true
}

/** The bytes of a view of a storage, in row-major order. */
const gather = (storage: Uint8Array, tensor: TorchTensor, bytes: number): Uint8Array<ArrayBuffer> => {
  const { offset, shape, strides } = tensor
  const count = sizeOf(shape)
  if (isContiguous(tensor)) return new Uint8Array(storage.subarray(offset * bytes, (offset + count) * bytes))
  const result = new Uint8Array(count * bytes)
  const at = shape.map(() => 0)
  let from = offset
  for (let to = 0; to < count; to++) {
    for (let i = 0; i < bytes; i++) result[to * bytes + i] = storage[from * bytes + i]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++at[axis] < shape[axis]) break
      from -= strides[axis] * shape[axis]
      at[axis] = 0
    }
  }
  return result
}

const read = (name: string, tensor: TorchTensor, { bytesOf }: Container): HostTensor => {
  const { offset, shape, storage, strides } = tensor
  const reading = Object.hasOwn(READINGS, storage.dtype) ? READINGS[storage.dtype] : undefined
  if (reading === undefined) throw new Error(`${name} has the type ${storage.dtype}, which cannot be read`)
  const bytes = bytesOf(storage)
  if (bytes === undefined) throw new Error(`the numbers of ${name} are missing`)
  const empty = shape.includes(0)
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * strides[axis], offset)
  if (!empty && (last + 1) * reading.bytes > bytes.length) throw new Error(`${name} is not all there`)
  const values = reading.read(gather(bytes, tensor, reading.bytes).buffer, (problem) => {
    throw new Error(problem)
  })
  return { shape, ...values } as HostTensor
}

/** Tensors may share numbers, but a file cannot stand for many times what it holds. */
const TIMES = 8

export interface TorchWeights {
  readonly tensors: TensorRecord
  /** Where in the checkpoint they are, as `state_dict`; empty where they are all that it holds. */
  readonly within: string
}

/**
 * The weights in a checkpoint of so many bytes, with other widths of floating point as float32.
 *
 * @throws Error with a line that says what is wrong
 */
export const weightsOf = (container: Container, size: number): TorchWeights => {
  const { path, tensors } = find(container.value)
  const elements = [...tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  if (!(elements <= TIMES * size)) throw new Error("its tensors are many times larger than the file")
  return {
    tensors: Object.fromEntries([...tensors].map(([name, tensor]) => [name, read(name, tensor, container)])),
    within: path.join(".")
  }
}
