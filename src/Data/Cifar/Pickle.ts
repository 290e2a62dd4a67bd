/**
 * Reads Python's pickle format as far as the published CIFAR archives use it: protocol 2 as Python 2 writes it, with
 * dictionaries, lists, byte strings, integers and numpy arrays of bytes.
 *
 * A pickle is a program for a stack machine, and one from a stranger may call any Python function. Here nothing is
 * ever called: of all names a pickle may refer to, the three that numpy arrays need are known, and every other one
 * is an error. Opcodes and their arguments: Python's `Lib/pickletools.py`.
 */

/** A numpy array. `bytes` holds its elements in row-major order, or column-major if `fortran`. */
export interface NumpyArray {
  readonly _tag: "NumpyArray"
  shape: ReadonlyArray<number>
  /** numpy's short name of the element type, for instance `u1`. */
  dtype: string
  fortran: boolean
  bytes: Uint8Array
}

interface DType {
  readonly _tag: "DType"
  readonly name: string
}

interface Global {
  readonly _tag: "Global"
  readonly name: string
}

/** Byte strings stay bytes, as Python 2 does not say what they mean; tuples and lists are both arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Array<PickleValue>
  | Map<string, PickleValue>
  | NumpyArray
  | DType
  | Global

const RECONSTRUCT = "numpy.core.multiarray._reconstruct"
const KNOWN = [RECONSTRUCT, "numpy.ndarray", "numpy.dtype"]

/** A Python 2 string as text. */
export const text = (value: PickleValue | undefined): string | undefined => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1")
  return typeof value === "string" ? value : undefined
}

const isTagged = <T extends "NumpyArray" | "DType" | "Global">(
  value: PickleValue | undefined,
  tag: T
): value is Extract<PickleValue, { readonly _tag: T }> =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === tag

export const isNumpyArray = (value: PickleValue | undefined): value is NumpyArray =>
  isTagged(value, "NumpyArray")

/** What `callable(*args)` makes, for the two callables that numpy arrays need. */
const construct = (callable: PickleValue, args: PickleValue): PickleValue => {
  if (isTagged(callable, "Global") && Array.isArray(args)) {
    if (callable.name === RECONSTRUCT)
      return { _tag: "NumpyArray", shape: [0], dtype: "u1", fortran: false, bytes: new Uint8Array(0) }
    const name = text(args[0])
    if (callable.name === "numpy.dtype" && name !== undefined) return { _tag: "DType", name }
  }
  throw new Error("the pickle constructs something other than a numpy array")
}

/** Gives an array its contents: a tuple of version, shape, type, order and bytes. */
const fill = (target: PickleValue | undefined, state: PickleValue): void => {
  // An element type's byte order and fields: without meaning for bytes.
  if (isTagged(target, "DType")) return
  if (!isNumpyArray(target) || !Array.isArray(state))
    throw new Error("the pickle sets the state of something other than a numpy array")
  const [, shape, dtype, fortran, bytes] = state
  const isShape = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side))
  if (!isShape || !isTagged(dtype, "DType") || !(bytes instanceof Uint8Array))
    throw new Error("the pickle holds a numpy array of an unknown form")
  Object.assign(target, { shape, dtype: dtype.name, fortran: fortran === true, bytes })
}

/**
 * The value that a pickle describes. Byte strings and arrays are views of `input`.
 *
 * @throws Error with a one-line message for a pickle that is cut off, damaged, or not of the kind described above.
 */
export const unpickle = (input: Uint8Array): PickleValue => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const stack: Array<PickleValue> = []
  const marks: Array<number> = []
  const memo = new Map<number, PickleValue>()
  let at = 0

  const take = (length: number): Buffer => {
    if (length < 0 || at + length > bytes.length) throw new Error("the pickle is cut off")
    at += length
    return bytes.subarray(at - length, at)
  }
  const byte = () => take(1)[0]
  const uint16 = () => take(2).readUInt16LE()
  const int32 = () => take(4).readInt32LE()
  const long = (): number => {
    const length = byte()
    if (length > 6) throw new Error("the pickle has an integer of more than 48 bits")
    return length === 0 ? 0 : take(length).readIntLE(0, length)
  }
  const line = (): string => {
    const end = bytes.indexOf(10, at)
    const taken = take(end < 0 ? bytes.length : end - at)
    at++
    return taken.toString("latin1")
  }
  const pop = (): PickleValue => {
    const value = stack.pop()
    if (value === undefined) throw new Error("the pickle is damaged")
    return value
  }
  const popToMark = (): Array<PickleValue> => stack.splice(marks.pop() ?? stack.length)
  const tuple = (length: number) => stack.push(Array.from({ length }, pop).reverse())
  const append = (items: ReadonlyArray<PickleValue>) => {
    const list = stack.at(-1)
    if (!Array.isArray(list)) throw new Error("the pickle is damaged")
    for (const item of items) list.push(item)
  }
  const setItems = (items: ReadonlyArray<PickleValue>) => {
    const dictionary = stack.at(-1)
    if (!(dictionary instanceof Map)) throw new Error("the pickle is damaged")
    for (let i = 0; i + 1 < items.length; i += 2) {
      const key = text(items[i])
      if (key === undefined) throw new Error("the pickle has a dictionary whose keys are not text")
      dictionary.set(key, items[i + 1])
    }
  }
  const recall = (key: number) => {
    const value = memo.get(key)
    if (value === undefined) throw new Error("the pickle is damaged")
    stack.push(value)
  }
  const remember = (key: number) => {
    const value = pop()
    stack.push(value)
    memo.set(key, value)
  }
  const global = () => {
    const name = `${line()}.${line()}`
    if (!KNOWN.includes(name))
      throw new Error(`the pickle refers to ${JSON.stringify(name)}, which is refused`)
    stack.push({ _tag: "Global", name })
  }

  for (;;) {
    const opcode = byte()
    switch (opcode) {
      case 0x80: // PROTO
        if (byte() !== 2) throw new Error("the pickle is not of protocol 2")
        break
      case 0x2e: // STOP
        return pop()
      case 0x28: // MARK
        marks.push(stack.length)
        break
      case 0x7d: // EMPTY_DICT
        stack.push(new Map())
        break
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([])
        break
      case 0x71: // BINPUT
        remember(byte())
        break
      case 0x72: // LONG_BINPUT
        remember(int32())
        break
      case 0x68: // BINGET
        recall(byte())
        break
      case 0x6a: // LONG_BINGET
        recall(int32())
        break
      case 0x55: // SHORT_BINSTRING
        stack.push(take(byte()))
        break
      case 0x54: // BINSTRING
        stack.push(take(int32()))
        break
      case 0x58: // BINUNICODE
        stack.push(take(int32()).toString("utf8"))
        break
      case 0x4b: // BININT1
        stack.push(byte())
        break
      case 0x4d: // BININT2
        stack.push(uint16())
        break
      case 0x4a: // BININT
        stack.push(int32())
        break
      case 0x8a: // LONG1
        stack.push(long())
        break
      case 0x4e: // NONE
        stack.push(null)
        break
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(opcode === 0x88)
        break
      case 0x74: // TUPLE
        stack.push(popToMark())
        break
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        tuple(opcode - 0x84)
        break
      case 0x61: // APPEND
        append([pop()])
        break
      case 0x65: // APPENDS
        append(popToMark())
        break
      case 0x73: // SETITEM
        setItems([pop(), pop()].reverse())
        break
      case 0x75: // SETITEMS
        setItems(popToMark())
        break
      case 0x63: // GLOBAL
        global()
        break
      case 0x52: {
        // REDUCE
        const args = pop()
        stack.push(construct(pop(), args))
        break
      }
      case 0x62: {
        // BUILD
        const state = pop()
        fill(stack.at(-1), state)
        break
      }
      default:
        throw new Error(`the pickle has the opcode 0x${opcode.toString(16)}, which CIFAR does not use`)
    }
  }
}
