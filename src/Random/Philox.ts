/**
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A block of four
 * random words is a function of a counter of four words and a key of two.
 *
 * In JavaScript a product of 64 bits takes many instructions, and large networks would wait seconds for their initial
 * weights. So this is a function of WebAssembly that makes four blocks at once; it is straight code, assembled here.
 */

const ROUNDS = 10
const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85

/** Only what is used of it: TypeScript declares it for browsers alone. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

type Code = ReadonlyArray<number>

/** LEB128, as sizes and places are written. */
const unsigned = (value: number): Code =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]

/** Signed LEB128, as constants are written. */
const signed = (value: number): Code => {
  const last = value >= -0x40 && value < 0x40
  return last ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}

const vector = (items: ReadonlyArray<Code>): Code => [...unsigned(items.length), ...items.flat()]

const section = (id: number, items: ReadonlyArray<Code>): Code => {
  const body = vector(items)
  return [id, ...unsigned(body.length), ...body]
}

const I32 = 0x7f
const V128 = 0x7b

/** Instructions; those on vectors take four 32-bit words as one value. */
const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const tee = (local: number): Code => [0x22, local]
const i32 = (value: number): Code => [0x41, ...signed(value | 0)]
const add: Code = [0x6a]
const simd = (operation: number): Code => [0xfd, ...unsigned(operation)]
const splat = simd(17)
const xor = simd(81)
const addWords = simd(174)
/** The products of the first two words and of the last two, each as two of 64 bits. */
const [multiplyFirst, multiplyLast] = [simd(222), simd(223)]
const store = (offset: number): Code => [...simd(11), 4, ...unsigned(offset)]
/** Four of the eight words of two vectors. */
const pick = (...words: ReadonlyArray<number>): Code => [
  ...simd(13),
  ...words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte))
]
const ascending: Code = [...simd(12), ...[0, 1, 2, 3].flatMap((word) => [word, 0, 0, 0])]

/** Parameters of the function: the counter, the key, and how many times four blocks are made. */
const [C0, C1, C2, C3, K0, K1, TIMES] = [0, 1, 2, 3, 4, 5, 6]
/** Its variables: where a block goes; words of four blocks; products. */
const [TO, X0, X1, X2, X3, P0, P1, Q0, Q1] = [7, 8, 9, 10, 11, 12, 13, 14, 15]

const products = (x: number, factor: number, first: number, last: number): Code => [
  ...[...get(x), ...i32(factor), ...splat, ...multiplyFirst, ...set(first)],
  ...[...get(x), ...i32(factor), ...splat, ...multiplyLast, ...set(last)]
]

const low = (first: number, last: number): Code => [...get(first), ...get(last), ...pick(0, 2, 4, 6)]
const high = (first: number, last: number): Code => [...get(first), ...get(last), ...pick(1, 3, 5, 7)]

const key = (local: number, step: number, round: number): Code => [
  ...[...get(local), ...i32(Math.imul(step, round)), ...add, ...splat]
]

const round = (number: number): Code => [
  ...products(X0, M0, P0, P1),
  ...products(X2, M1, Q0, Q1),
  ...[...high(Q0, Q1), ...get(X1), ...xor, ...key(K0, W0, number), ...xor, ...set(X0)],
  ...[...high(P0, P1), ...get(X3), ...xor, ...key(K1, W1, number), ...xor, ...set(X2)],
  ...[...low(Q0, Q1), ...set(X1), ...low(P0, P1), ...set(X3)]
]

/** Puts two of the four blocks together, of the first halves of their words and of the last ones. */
const storePair = (words: Code, offset: number): Code => [
  ...[...get(X0), ...get(X1), ...words, ...set(P0), ...get(X2), ...get(X3), ...words, ...set(P1)],
  ...[...get(TO), ...get(P0), ...get(P1), ...pick(0, 1, 4, 5), ...store(offset)],
  ...[...get(TO), ...get(P0), ...get(P1), ...pick(2, 3, 6, 7), ...store(offset + 16)]
]

const increase = (local: number, by: number): Code => [...get(local), ...i32(by), ...add, ...tee(local)]

const code: Code = [
  ...[0x03, 0x40], // loop
  ...[...get(C0), ...splat, ...ascending, ...addWords, ...set(X0)],
  ...[C1, C2, C3].flatMap((word, i) => [...get(word), ...splat, ...set(X1 + i)]),
  ...Array.from({ length: ROUNDS }, (_, number) => round(number)).flat(),
  ...storePair(pick(0, 4, 1, 5), 0),
  ...storePair(pick(2, 6, 3, 7), 32),
  ...[...increase(C0, 4), 0x1a, ...increase(TO, 64), 0x1a], // drop
  ...[...increase(TIMES, -1), 0x0d, 0], // again unless zero
  ...[0x0b, 0x0b] // end of the loop, and of the function
]
const body: Code = [
  ...vector([
    [1, I32],
    [8, V128]
  ]),
  ...code
]

const module = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
  ...section(1, [[0x60, ...vector(Array(7).fill([I32])), ...vector([])]]), // the function's type
  ...section(3, [[0]]), // the function
  ...section(5, [[0, 1]]), // a memory of 64 KiB
  ...section(7, [
    [...vector([[0x6d]]), 2, 0], // m, the memory
    [...vector([[0x66]]), 0, 0] // f, the function
  ]),
  ...section(10, [[...unsigned(body.length), ...body]])
])

const { f, m } = new WebAssembly.Instance(new WebAssembly.Module(module)).exports as {
  readonly f: (...parameters: ReadonlyArray<number>) => void
  readonly m: { readonly buffer: ArrayBuffer }
}
const memory = new Uint32Array(m.buffer)

/** Below this many words a loop copies faster than a call does. */
const FEW = 32

/**
 * Fills the beginning of `words` with `blocks` blocks (at most 4096): those of the counter of four words, of the one
 * with the next first word, and so on, for a key of two words.
 */
export const philox4x32 = (
  words: Uint32Array,
  blocks: number,
  counter: Uint32Array,
  key0: number,
  key1: number
): void => {
  f(counter[0], counter[1], counter[2], counter[3], key0, key1, Math.ceil(blocks / 4))
  const count = 4 * blocks
  if (count < FEW) for (let i = 0; i < count; i++) words[i] = memory[i]
  else words.set(memory.subarray(0, count))
}
