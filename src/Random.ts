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
}

/** Draws that can be turned to other counters, so that none are made anew for each image. */
export interface KeyedDraws extends Draws {
  /** Starts the sequence that belongs to these counters. */
  readonly at: (a: number, b?: number, c?: number) => void
}

/** Draws keyed by a seed (an integer in [0, 2^32)) and the name of what they are for, at counters (0, 0, 0). */
export const keyedDraws = (seed: number, stream: string): KeyedDraws => {
  const key = hash32(stream)
  const words = new Uint32Array(4)
  let a = 0
  let b = 0
  let c = 0
  let block = 0
  let used = 4
  const at = (newA: number, newB = 0, newC = 0): void => {
    a = newA
    b = newB
    c = newC
    block = 0
    used = 4
  }
  const uint32 = (): number => {
    if (used === 4) {
      words[0] = block++
      words[1] = a
      words[2] = b
      words[3] = c
      philox4x32(words, seed, key)
      used = 0
    }
    return words[used++]
  }
  const uniform = (): number => {
    const high = uint32() >>> 5
    const low = uint32() >>> 6
    return (high * 67108864 + low) / 9007199254740992
  }
  const int = (n: number): number => {
    // Values at or above the largest multiple of n are drawn again, so that every result is equally likely.
    const limit = 4294967296 - (4294967296 % n)
    let value = uint32()
    while (value >= limit) value = uint32()
    return value % n
  }
  const normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    return radius * Math.cos(2 * Math.PI * uniform())
  }
  return { at, uint32, uniform, int, normal }
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
