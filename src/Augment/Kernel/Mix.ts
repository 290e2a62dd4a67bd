/** Mixing the images of a batch two by two. */
import type { Draws } from "../../Random.ts"

/**
 * Logarithm of a draw from Gamma(shape, 1), shape ≥ 1: Marsaglia and Tsang, "A simple method for generating gamma
 * variables", 2000.
 */
const logGamma = (shape: number, random: Draws): number => {
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = random.normal()
    const v = (1 + c * x) ** 3
    if (v <= 0) continue
    const u = 1 - random.uniform()
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v)
  }
}

/**
 * A draw from Beta(alpha, alpha), for any alpha > 0: a / (a + b) of two draws from Gamma(alpha, 1). Those of
 * alpha < 1 come from alpha + 1 times u^(1/alpha), which is below the smallest number for small alpha, so logarithms
 * are compared.
 */
export const beta = (alpha: number, random: Draws): number => {
  const shape = alpha < 1 ? alpha + 1 : alpha
  let difference = logGamma(shape, random) - logGamma(shape, random)
  if (alpha < 1) {
    difference += (Math.log(1 - random.uniform()) - Math.log(1 - random.uniform())) / alpha
  }
  return 1 / (1 + Math.exp(difference))
}

/** How a batch is mixed: each image keeps the share `lambda` of itself, and gets the rest from its partner. */
export type Mixing =
  | { readonly _tag: "Mixup"; readonly lambda: number }
  | {
      readonly _tag: "CutMix"
      readonly lambda: number
      /** The rows and columns that come from the partner. */
      readonly top: number
      readonly left: number
      readonly bottom: number
      readonly right: number
    }

/** λ ~ Beta(α, α): Zhang, Cissé, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018. */
export const drawMixup = (alpha: number, random: Draws): Mixing => ({
  _tag: "Mixup",
  lambda: Math.fround(beta(alpha, random))
})

/**
 * A box of the share 1 − λ of the image, λ ~ Beta(α, α), around a point drawn from the whole image and cut at its
 * border; λ is then the share that is really kept: Yun, Han, Oh, Chun, Choe and Yoo, "CutMix", ICCV 2019,
 * section 3.1 and the authors' code.
 */
export const drawCutMix = (alpha: number, random: Draws, height: number, width: number): Mixing => {
  const side = Math.sqrt(1 - beta(alpha, random))
  const halfHeight = Math.floor(Math.trunc(height * side) / 2)
  const halfWidth = Math.floor(Math.trunc(width * side) / 2)
  const y = random.int(height)
  const x = random.int(width)
  const top = Math.max(0, y - halfHeight)
  const bottom = Math.min(height, y + halfHeight)
  const left = Math.max(0, x - halfWidth)
  const right = Math.min(width, x + halfWidth)
  const lambda = Math.fround(1 - ((bottom - top) * (right - left)) / (height * width))
  return { _tag: "CutMix", lambda, top, left, bottom, right }
}

/**
 * Writes image `a` of `from` mixed with image `b` into place `a` of `to`; both are uint8 [N,height,width,3]. Mixup
 * rounds to whole grey levels.
 */
export const mix = (
  from: Uint8Array,
  to: Uint8Array,
  { height, width }: { readonly height: number; readonly width: number },
  a: number,
  b: number,
  mixing: Mixing
): void => {
  const bytes = height * width * 3
  const end = (a + 1) * bytes
  const shift = (b - a) * bytes
  if (mixing._tag === "Mixup") {
    const { lambda } = mixing
    const rest = 1 - lambda
    for (let i = a * bytes; i < end; i++) to[i] = lambda * from[i] + rest * from[i + shift] + 0.5
    return
  }
  for (let i = a * bytes; i < end; i++) to[i] = from[i]
  for (let y = mixing.top; y < mixing.bottom; y++) {
    const row = a * bytes + y * width * 3
    for (let i = row + mixing.left * 3; i < row + mixing.right * 3; i++) to[i] = from[i + shift]
  }
}

/** How one batch is mixed, by a step of any kind. */
export interface BatchMixing {
  /** For pictures. */
  readonly name: string
  /** The share that each image keeps of itself; its label keeps as much. */
  readonly lambda: number
  /** Writes image `a` of `from`, mixed with image `b`, into place `a` of `to`; both are uint8 [N,height,width,3]. */
  readonly mix: (from: Uint8Array, to: Uint8Array, a: number, b: number) => void
}

/** Mixup or CutMix of images of one size. */
export const mixingOf = (
  mixing: Mixing,
  size: { readonly height: number; readonly width: number }
): BatchMixing => ({
  name: mixing._tag,
  lambda: mixing.lambda,
  mix: (from, to, a, b) => mix(from, to, size, a, b, mixing)
})
