/**
 * What PyTorch puts into a pickle: tensors, which are views of storages that lie outside of it, and whatever a program
 * kept beside them. Of that only the names below are known, and nothing of it is looked at.
 */
import { type PickleValue as Pickled, text, type Vocabulary } from "../../Pickle.ts"

/** Numbers of one type, by the name under which the file has them. */
export interface Storage {
  readonly _tag: "Storage"
  readonly key: string
  /** The element type by safetensors' name; PyTorch's name where those have none. */
  readonly dtype: string
  readonly count: number
}

/** A view of a storage. */
export interface TorchTensor {
  readonly _tag: "Tensor"
  readonly storage: Storage
  readonly offset: number
  readonly shape: ReadonlyArray<number>
  readonly strides: ReadonlyArray<number>
}

interface Global {
  readonly _tag: "Global"
  readonly is: "dictionary" | "tensor" | "parameter" | "storage" | "unread"
  /** Of a storage. */
  readonly dtype?: string
}

/** What is made of a name that is known and not looked at. */
interface Unread {
  readonly _tag: "Unread"
}

export type TorchValue = Pickled<Storage | TorchTensor | Global | Unread>

const UNREAD: Unread = { _tag: "Unread" }

const STORAGES: Readonly<Record<string, string>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ByteStorage: "U8"
}

const MADE: Readonly<Record<string, Global["is"]>> = {
  "collections.OrderedDict": "dictionary",
  "torch._utils._rebuild_tensor_v2": "tensor",
  "torch._utils._rebuild_parameter": "parameter"
}

/** What checkpoints hold besides tensors: settings, counts, states of random numbers. */
const BESIDE = new Set([
  ...["argparse.Namespace", "collections.defaultdict", "copyreg._reconstructor", "copy_reg._reconstructor"],
  ...["builtins.object", "__builtin__.object", "builtins.set", "__builtin__.set", "_codecs.encode"],
  ...["torch.device", "torch.Size", "numpy.dtype", "numpy.ndarray"],
  ...["numpy.core", "numpy._core"].flatMap((core) => [
    `${core}.multiarray.scalar`,
    `${core}.multiarray._reconstruct`
  ])
])

const globalOf = (module: string | undefined, name: string | undefined): Global => {
  const full = `${module}.${name}`
  const storage = /^torch\.(?:cuda\.)?(\w+Storage)$/.exec(full)?.[1]
  if (storage !== undefined) return { _tag: "Global", is: "storage", dtype: STORAGES[storage] ?? storage }
  if (Object.hasOwn(MADE, full)) return { _tag: "Global", is: MADE[full] }
  if (BESIDE.has(full) || /^torch\.(b?float|u?int|complex|bool)\d*$/.test(full))
    return { _tag: "Global", is: "unread" }
  throw new Error(
    `the pickle refers to ${JSON.stringify(full.slice(0, 256))}, which is refused: torch.save(model.state_dict(), FILE) writes weights alone`
  )
}

const isTagged = <T extends "Storage" | "Tensor" | "Global">(
  value: TorchValue | undefined,
  tag: T
): value is Extract<TorchValue, { readonly _tag: T }> =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === tag

export const isTensor = (value: TorchValue | undefined): value is TorchTensor => isTagged(value, "Tensor")

/** PyTorch's own limit of dimensions. */
const MOST_SIDES = 64

const isSizes = (value: TorchValue | undefined): value is Array<number> =>
  Array.isArray(value) &&
  value.length <= MOST_SIDES &&
  value.every((side) => Number.isSafeInteger(side) && (side as number) >= 0)

const damaged = () => new Error("the pickle holds a tensor of an unknown form")

const tensorOf = ([storage, offset, shape, strides]: ReadonlyArray<TorchValue | undefined>): TorchTensor => {
  const whole =
    isTagged(storage, "Storage") && isSizes([offset ?? null]) && isSizes(shape) && isSizes(strides)
  if (!whole || shape.length !== strides.length) throw damaged()
  return { _tag: "Tensor", storage, offset: offset as number, shape, strides }
}

const construct = (callable: TorchValue, args: TorchValue): TorchValue => {
  if (!isTagged(callable, "Global") || !Array.isArray(args)) {
    throw new Error("the pickle constructs something other than a tensor")
  }
  switch (callable.is) {
    case "dictionary":
      return new Map()
    case "tensor":
      return tensorOf(args)
    case "parameter":
      if (!isTensor(args[0])) throw damaged()
      return args[0]
    case "storage":
      throw damaged()
    case "unread":
      return UNREAD
  }
}

/** The storage that a tuple names: `storage`, its type, its key, where it was, how long it is. */
const outside = (name: TorchValue): Storage => {
  if (!Array.isArray(name)) throw damaged()
  const [what, type, key, , count, part = null] = name
  const known = text(key)
  const whole = text(what) === "storage" && isTagged(type, "Global") && isSizes([count])
  if (!whole || type.dtype === undefined || known === undefined || part !== null) throw damaged()
  return { _tag: "Storage", key: known, dtype: type.dtype, count: count as number }
}

export const torch: Vocabulary<Storage | TorchTensor | Global | Unread> = {
  kind: "checkpoint",
  globalOf,
  construct,
  // States of dictionaries (the versions of modules) and of what is not read.
  fill: () => {},
  outside,
  // Optimisers count parameters; what else keys can be is left to the machine.
  keyOf: (key) =>
    typeof key === "number" || typeof key === "boolean" || key === null ? String(key) : undefined
}
