/**
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Four random
 * words are a function of a counter of four words and a key of two. All arithmetic is on 32-bit integers, which is
 * what V8 compiles best.
 */

const ROUNDS = 10
const M0 = 0xd2511f53 | 0
const M1 = 0xcd9e8d57 | 0
const W0 = 0x9e3779b9 | 0
const W1 = 0xbb67ae85 | 0

/** High 32 bits of the unsigned product of two 32-bit integers. */
const mulHigh = (a: number, b: number): number => {
  const a1 = a >>> 16
  const a0 = a & 0xffff
  const b1 = b >>> 16
  const b0 = b & 0xffff
  // Neither sum goes beyond 32 bits: (2¹⁶ − 1)² + 2¹⁶ − 1 < 2³².
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0
  const middle2 = (Math.imul(a0, b1) + (middle & 0xffff)) | 0
  return (Math.imul(a1, b1) + (middle >>> 16) + (middle2 >>> 16)) | 0
}

/** The four words of `counter` become four random words, in place. */
export const philox4x32 = (counter: Uint32Array, key0: number, key1: number): void => {
  let c0 = counter[0] | 0
  let c1 = counter[1] | 0
  let c2 = counter[2] | 0
  let c3 = counter[3] | 0
  let k0 = key0 | 0
  let k1 = key1 | 0
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(M0, c0)
    const high1 = mulHigh(M1, c2)
    const low0 = Math.imul(M0, c0)
    const low1 = Math.imul(M1, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + W0) | 0
    k1 = (k1 + W1) | 0
  }
  counter[0] = c0
  counter[1] = c1
  counter[2] = c2
  counter[3] = c3
}
