/**
 * Counter-based random numbers for everything that is drawn outside a compiled program: initial weights,
 * shuffles, splits, augmentation. A draw is a pure function of (seed, stream, counters), so results depend
 * neither on the order of evaluation nor on the number of workers, and a resumed run repeats them exactly.
 */
import { philox4x32 } from "./Random/Philox.ts"

/** FNV-1a hash of a string to 32 bits, to make a key out of a stream's name. */
export const hash32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A sequence of draws that belongs to one (seed, stream, counters). */
export interface Draws {
  /** An integer in [0, 2^32). */
  readonly uint32: () => number
  /** A number in [0, 1) with 53 random bits. */
  readonly uniform: () => number
  /** An integer in [0, n), without bias, for 0 < n ≤ 2^32. */
  readonly int: (n: number) => number
  /** A standard normal number (Box–Muller). */
  readonly normal: () => number
  /** Fills an array with the next normal numbers, times `deviation`: as `normal` gives them, but faster. */
  readonly fillNormal: (values: Float32Array, deviation: number) => void
}

/** Draws that can be turned to other counters, so that none are made anew for each image. */
export interface KeyedDraws extends Draws {
  /** Starts the sequence that belongs to these counters. */
  readonly at: (a: number, b?: number, c?: number) => void
}

/** 53 of the bits of two words, as a number in [0, 1). */
const toUniform = (high: number, low: number): number =>
  ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992

/** A standard normal number of two uniform ones (Box–Muller). */
const toNormal = (u: number, v: number): number => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)

/** How many blocks of four words a sequence begins with, and how many are made at once when it is long. */
const BLOCKS = { first: 4, most: 64 }

/** Draws keyed by a seed (an integer in [0, 2^32)) and the name of what they are for, at counters (0, 0, 0). */
export const keyedDraws = (seed: number, stream: string): KeyedDraws => {
  const key = hash32(stream)
  /** The number of the next block in its sequence, and the three counters. */
  const counter = new Uint32Array(4)
  const words = new Uint32Array(4 * BLOCKS.most)
  let made = 0
  let used = 0
  const at = (a: number, b = 0, c = 0): void => {
    counter[0] = 0
    counter[1] = a
    counter[2] = b
    counter[3] = c
    made = 0
    used = 0
  }
  const make = (): void => {
    // As many as there were before.
    const blocks = Math.min(BLOCKS.most, Math.max(BLOCKS.first, counter[0]))
    philox4x32(words, blocks, counter, seed, key)
    counter[0] += blocks
    made = 4 * blocks
    used = 0
  }
  const uint32 = (): number => {
    if (used === made) make()
    return words[used++]
  }
  const uniform = (): number => toUniform(uint32(), uint32())
  const int = (n: number): number => {
    // Values at or above the largest multiple of n are drawn again, so that every result is equally likely.
    const limit = 4294967296 - (4294967296 % n)
    let value = uint32()
    while (value >= limit) value = uint32()
    return value % n
  }
  const normal = (): number => toNormal(uniform(), uniform())
  const fillNormal = (values: Float32Array, deviation: number): void => {
    let i = 0
    while (i < values.length) {
      if (used === made) make()
      const count = Math.min(values.length - i, Math.floor((made - used) / 4))
      for (let k = 0; k < count; k++) {
        const word = used + 4 * k
        const u = toUniform(words[word], words[word + 1])
        values[i + k] = deviation * toNormal(u, toUniform(words[word + 2], words[word + 3]))
      }
      i += count
      used += 4 * count
      // A sequence that was left in the middle of a block has numbers that begin in one block and end in another.
      if (count === 0) values[i++] = deviation * normal()
    }
  }
  return { at, uint32, uniform, int, normal, fillNormal }
}

/**
 * Draws keyed by a seed (an integer in [0, 2^32)), the name of what they are for, and up to three counters
 * such as epoch and image.
 */
export const draws = (seed: number, stream: string, a = 0, b = 0, c = 0): Draws => {
  const random = keyedDraws(seed, stream)
  random.at(a, b, c)
  return random
}

/** Shuffles in place (Fisher–Yates). */
export const shuffle = <A extends Uint32Array | Array<number>>(values: A, random: Draws): A => {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.int(i + 1)
    const swap = values[i]
    values[i] = values[j]
    values[j] = swap
  }
  return values
}
