/**
 * Reads Python's pickle format, as far as files of data and of weights use it: protocol 2 as Python 2 writes it, and
 * protocols 2 to 5 as Python 3 does: dictionaries, lists, texts, numbers, and what a vocabulary knows besides.
 *
 * A pickle is a program for a stack machine, and one from a stranger may call any Python function. Here nothing is
 * ever called; a vocabulary knows the few names that a pickle may refer to. Nor can it make more than it is long: it has
 * so many operations at most, and text is made into bytes once. Opcodes and their arguments: Python's
 * `Lib/pickletools.py`.
 */

/** What stands for something that only a vocabulary knows. */
interface Tagged {
  readonly _tag: string
}

/** Byte strings stay bytes, as Python 2 does not say what they mean; tuples and lists are both arrays. */
export type PickleValue<X extends Tagged> =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Array<PickleValue<X>>
  | Map<string, PickleValue<X>>
  | X

/** The Python names that a kind of file may refer to. Each function throws an Error in one line for what it refuses. */
export interface Vocabulary<X extends Tagged> {
  /** What such a file is called. */
  readonly kind: string
  /** The value that stands for a Python name. */
  readonly globalOf: (module: string | undefined, name: string | undefined) => X
  /** What `callable(*args)` makes. `encode` turns text into bytes. */
  readonly construct: (
    callable: PickleValue<X>,
    args: PickleValue<X>,
    encode: (latin1: string) => Uint8Array
  ) => PickleValue<X>
  /** Gives an object its state. */
  readonly fill: (target: PickleValue<X> | undefined, state: PickleValue<X>) => void
  /** What lies outside of the pickle under a name. */
  readonly outside: (name: PickleValue<X>) => PickleValue<X>
  /** Keys of dictionaries besides texts. */
  readonly keyOf: (key: PickleValue<X> | undefined) => string | undefined
}

/** Characters of a key or name that is turned into text; longer ones are not of such a file. */
export const LONGEST_NAME = 256

/** A string as text, where it is not too long for a name; Python 2's are bytes. */
export const text = (value: unknown): string | undefined => {
  if (value instanceof Uint8Array) {
    return value.length > LONGEST_NAME ? undefined : Buffer.from(value).toString("latin1")
  }
  return typeof value === "string" && value.length <= LONGEST_NAME ? value : undefined
}

/** Operations of a pickle of so many values at most: a NumPy integer takes the most, about a dozen. */
const OPERATIONS = 16

/** Operations of a pickle that holds hardly anything. */
const FEW = 10_000

/** A value, and the place after the pickle that it was in. */
export interface Unpickled<X extends Tagged> {
  readonly value: PickleValue<X>
  readonly end: number
}

/**
 * The value that the pickle at the start of `input` describes, which has about so many parts, labels and names.
 * Byte strings are views of `input`.
 *
 * @throws Error with a one-line message for a pickle that is cut off, damaged, or not of the kind described above.
 */
export const unpickle = <X extends Tagged>(
  input: Uint8Array,
  { construct, fill, globalOf, keyOf, kind, outside }: Vocabulary<X>,
  parts = 0
): Unpickled<X> => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const stack: Array<PickleValue<X>> = []
  const marks: Array<number> = []
  const memo = new Map<number, PickleValue<X>>()
  let at = 0

  const take = (length: number): Buffer => {
    if (length < 0 || at + length > bytes.length) throw new Error("the pickle is cut off")
    at += length
    return bytes.subarray(at - length, at)
  }
  const byte = () => take(1)[0]
  const uint16 = () => take(2).readUInt16LE()
  const int32 = () => take(4).readInt32LE()
  /** Eight bytes of a length: more than there are is as good as cut off. */
  const uint64 = () => Number(take(8).readBigUInt64LE())
  const long = (length: number): number => {
    if (length > 6) throw new Error("the pickle has an integer of more than 48 bits")
    return length === 0 ? 0 : take(length).readIntLE(0, length)
  }
  const line = (): string => {
    const end = bytes.indexOf(10, at)
    const taken = take(end < 0 ? bytes.length : end - at)
    at++
    return taken.toString("latin1")
  }
  const pop = (): PickleValue<X> => {
    const value = stack.pop()
    if (value === undefined) throw new Error("the pickle is damaged")
    return value
  }
  const popToMark = (): Array<PickleValue<X>> => stack.splice(marks.pop() ?? stack.length)
  const tuple = (length: number) => stack.push(Array.from({ length }, pop).reverse())
  const append = (items: ReadonlyArray<PickleValue<X>>) => {
    const list = stack.at(-1)
    if (!Array.isArray(list)) throw new Error("the pickle is damaged")
    for (const item of items) list.push(item)
  }
  const setItems = (items: ReadonlyArray<PickleValue<X>>) => {
    const dictionary = stack.at(-1)
    if (!(dictionary instanceof Map)) throw new Error("the pickle is damaged")
    for (let i = 0; i + 1 < items.length; i += 2) {
      const key = text(items[i]) ?? keyOf(items[i])
      if (key === undefined) throw new Error("the pickle has a dictionary whose keys are not names")
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
  let encoded = 0
  const encode = (latin1: string): Uint8Array => {
    encoded += latin1.length
    if (encoded > bytes.length) throw new Error("the pickle makes more bytes than it has")
    return Buffer.from(latin1, "latin1")
  }
  const most = FEW + OPERATIONS * parts

  for (let operations = 0; operations < most; operations++) {
    const opcode = byte()
    switch (opcode) {
      case 0x80: // PROTO
        if (byte() > 5) throw new Error("the pickle is of a protocol above 5")
        break
      case 0x95: // FRAME: what follows is read as if it were not in frames.
        if (uint64() > bytes.length - at) throw new Error("the pickle is cut off")
        break
      case 0x2e: // STOP
        return { value: pop(), end: at }
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
      case 0x94: // MEMOIZE
        remember(memo.size)
        break
      case 0x55: // SHORT_BINSTRING
      case 0x43: // SHORT_BINBYTES
        stack.push(take(byte()))
        break
      case 0x54: // BINSTRING
      case 0x42: // BINBYTES
        stack.push(take(int32()))
        break
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(take(uint64()))
        break
      case 0x8c: // SHORT_BINUNICODE
        stack.push(take(byte()).toString("utf8"))
        break
      case 0x58: // BINUNICODE
        stack.push(take(int32()).toString("utf8"))
        break
      case 0x8d: // BINUNICODE8
        stack.push(take(uint64()).toString("utf8"))
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
      case 0x47: // BINFLOAT
        stack.push(take(8).readDoubleBE())
        break
      case 0x8a: // LONG1
        stack.push(long(byte()))
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
        stack.push(globalOf(line(), line()))
        break
      case 0x93: {
        // STACK_GLOBAL
        const name = text(pop())
        stack.push(globalOf(text(pop()), name))
        break
      }
      case 0x51: // BINPERSID
        stack.push(outside(pop()))
        break
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = pop()
        stack.push(construct(pop(), args, encode))
        break
      }
      case 0x62: {
        // BUILD
        const state = pop()
        fill(stack.at(-1), state)
        break
      }
      default:
        throw new Error(`the pickle has the opcode 0x${opcode.toString(16)}, which is not known`)
    }
  }
  throw new Error(`the pickle has more operations than a ${kind} of its kind`)
}
