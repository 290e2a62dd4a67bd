/**
 * What NumPy puts into a pickle: arrays, element types and single numbers, and the few functions that make them. A
 * pickle from a stranger may name any Python function; of those, only these are known, and nothing is ever called.
 */
import { LONGEST_NAME, type PickleValue as Pickled, text, type Vocabulary } from "../../Pickle.ts"

/** A NumPy array. `bytes` holds its elements in row-major order, or column-major if `fortran`. */
export interface NumpyArray {
  readonly _tag: "NumpyArray"
  shape: ReadonlyArray<number>
  /** NumPy's short name of the element type, for instance `u1`. */
  dtype: string
  bigEndian: boolean
  fortran: boolean
  bytes: Uint8Array
}

interface DType {
  readonly _tag: "DType"
  readonly name: string
  bigEndian: boolean
}

/** A function or class by its name. */
interface Global {
  readonly _tag: "Global"
  readonly is: Known
}

export type PickleValue = Pickled<NumpyArray | DType | Global>

type Known = "reconstruct" | "ndarray" | "dtype" | "scalar" | "frombuffer" | "encode" | "bytes"

/** NumPy 2 renamed `core` to `_core`; Python 2 spelled `builtins` otherwise. */
const KNOWN: ReadonlyMap<string, Known> = new Map([
  ...["numpy.core", "numpy._core"].flatMap(
    (core): Array<[string, Known]> => [
      [`${core}.multiarray._reconstruct`, "reconstruct"],
      [`${core}.multiarray.scalar`, "scalar"],
      [`${core}.numeric._frombuffer`, "frombuffer"]
    ]
  ),
  ["numpy.ndarray", "ndarray"],
  ["numpy.dtype", "dtype"],
  // Protocols below 3 have no bytes: Python 3 writes them as text in Latin-1.
  ["_codecs.encode", "encode"],
  ["__builtin__.bytes", "bytes"],
  ["builtins.bytes", "bytes"]
])

const isTagged = <T extends "NumpyArray" | "DType" | "Global">(
  value: PickleValue | undefined,
  tag: T
): value is Extract<PickleValue, { readonly _tag: T }> =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === tag

export const isNumpyArray = (value: PickleValue | undefined): value is NumpyArray =>
  isTagged(value, "NumpyArray")

const globalOf = (module: string | undefined, name: string | undefined): Global => {
  const full = `${module}.${name}`
  const is = KNOWN.get(full)
  if (is === undefined) {
    throw new Error(`the pickle refers to ${JSON.stringify(full.slice(0, LONGEST_NAME))}, which is refused`)
  }
  return { _tag: "Global", is }
}

/** NumPy's own limit of dimensions. */
const MOST_SIDES = 64

const isShape = (value: PickleValue | undefined): value is Array<number> =>
  Array.isArray(value) && value.length <= MOST_SIDES && value.every((side) => Number.isSafeInteger(side))

/** Bytes of an element of an integer type, `u1` to `i8`; undefined for any other type. */
const integerBytes = (dtype: string): number | undefined => {
  const size = /^[iu]([1248])$/.exec(dtype)?.[1]
  return size === undefined ? undefined : Number(size)
}

/** The integers of an array, as far as a number holds them exactly; undefined where it has others, or is damaged. */
export const integers = ({
  bigEndian,
  bytes,
  dtype,
  shape
}: Pick<NumpyArray, "bigEndian" | "bytes" | "dtype" | "shape">): ReadonlyArray<number> | undefined => {
  const size = integerBytes(dtype)
  const count = shape.reduce((a, b) => a * b, 1)
  if (size === undefined || bytes.length !== count * size) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const signed = dtype.startsWith("i")
  const read = (at: number): number => {
    if (size === 1) return signed ? view.getInt8(at) : view.getUint8(at)
    if (size === 2) return signed ? view.getInt16(at, !bigEndian) : view.getUint16(at, !bigEndian)
    if (size === 4) return signed ? view.getInt32(at, !bigEndian) : view.getUint32(at, !bigEndian)
    return Number(signed ? view.getBigInt64(at, !bigEndian) : view.getBigUint64(at, !bigEndian))
  }
  return Array.from({ length: count }, (_, i) => read(i * size))
}

/** A single number that is its type and its bytes. */
const scalar = (dtype: PickleValue | undefined, bytes: PickleValue | undefined): number => {
  const [value, ...others] =
    isTagged(dtype, "DType") && bytes instanceof Uint8Array && bytes.length <= 8
      ? (integers({ shape: [1], dtype: dtype.name, bigEndian: dtype.bigEndian, bytes }) ?? [])
      : []
  if (value === undefined || others.length > 0) throw new Error("the pickle holds a number of another type")
  return value
}

/** An array whose contents were pickled as they lie in memory (protocol 5). */
const fromBuffer = ([bytes, dtype, shape, order]: ReadonlyArray<PickleValue | undefined>): NumpyArray => {
  if (!(bytes instanceof Uint8Array) || !isTagged(dtype, "DType") || !isShape(shape)) {
    throw new Error("the pickle holds a numpy array of an unknown form")
  }
  const { bigEndian, name } = dtype
  return { _tag: "NumpyArray", shape, dtype: name, bigEndian, fortran: text(order) === "F", bytes }
}

const construct = (
  callable: PickleValue,
  args: PickleValue,
  encode: (latin1: string) => Uint8Array
): PickleValue => {
  if (!isTagged(callable, "Global") || !Array.isArray(args)) {
    throw new Error("the pickle constructs something other than a numpy array")
  }
  switch (callable.is) {
    case "reconstruct":
      return {
        _tag: "NumpyArray",
        shape: [0],
        dtype: "u1",
        bigEndian: false,
        fortran: false,
        bytes: new Uint8Array(0)
      }
    case "dtype": {
      const name = text(args[0])
      if (name !== undefined) return { _tag: "DType", name, bigEndian: false }
      break
    }
    case "scalar":
      return scalar(args[0], args[1])
    case "frombuffer":
      return fromBuffer(args)
    case "encode":
      if (typeof args[0] === "string" && text(args[1]) === "latin1") return encode(args[0])
      break
    case "bytes":
      if (args.length === 0) return new Uint8Array(0)
  }
  throw new Error("the pickle constructs something other than a numpy array")
}

/** Gives an array its contents, a tuple of version, shape, type, order and bytes; or an element type its byte order. */
const fill = (target: PickleValue | undefined, state: PickleValue): void => {
  if (!Array.isArray(state))
    throw new Error("the pickle sets the state of something other than a numpy array")
  if (isTagged(target, "DType")) {
    target.bigEndian = text(state[1]) === ">"
    return
  }
  if (!isNumpyArray(target)) {
    throw new Error("the pickle sets the state of something other than a numpy array")
  }
  const [, shape, dtype, fortran, bytes] = state
  if (!isShape(shape) || !isTagged(dtype, "DType") || !(bytes instanceof Uint8Array)) {
    throw new Error("the pickle holds a numpy array of an unknown form")
  }
  const { bigEndian, name } = dtype
  Object.assign(target, { shape, dtype: name, bigEndian, fortran: fortran === true, bytes })
}

/** What pickles of data sets refer to. */
export const numpy: Vocabulary<NumpyArray | DType | Global> = {
  kind: "data set",
  globalOf,
  construct,
  fill,
  outside: () => {
    throw new Error("the pickle refers to something outside of it")
  },
  keyOf: () => undefined
}
