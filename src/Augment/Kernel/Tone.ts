/**
 * Operations that map each value by a table of 256, exact to the byte with Pillow (`ImageOps`, `ImageEnhance`) as
 * torchvision calls it.
 */
import { blendValue, grey } from "./Blend.ts"
import type { Canvas } from "./Canvas.ts"

/** Tables of red, green and blue. */
const tables = [new Uint8Array(256), new Uint8Array(256), new Uint8Array(256)] as const
const counts = [new Int32Array(256), new Int32Array(256), new Int32Array(256)] as const
const [table] = tables

const applyTable = ({ pixels }: Canvas): void => {
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]]
}

const applyTables = ({ pixels }: Canvas): void => {
  const [red, green, blue] = tables
  for (let i = 0; i < pixels.length; i += 3) {
    pixels[i] = red[pixels[i]]
    pixels[i + 1] = green[pixels[i + 1]]
    pixels[i + 2] = blue[pixels[i + 2]]
  }
}

const countValues = ({ pixels }: Canvas): void => {
  const [red, green, blue] = counts
  red.fill(0)
  green.fill(0)
  blue.fill(0)
  for (let i = 0; i < pixels.length; i += 3) {
    red[pixels[i]]++
    green[pixels[i + 1]]++
    blue[pixels[i + 2]]++
  }
}

export const invert = ({ pixels }: Canvas): void => {
  for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i]
}

/** Keeps the upper `bits` (the whole part of it) of each value. */
export const posterize = ({ pixels }: Canvas, bits: number): void => {
  const mask = ~((1 << (8 - Math.trunc(bits))) - 1)
  for (let i = 0; i < pixels.length; i++) pixels[i] &= mask
}

/** Inverts the values from `threshold` on. */
export const solarize = (canvas: Canvas, threshold: number): void => {
  for (let value = 0; value < 256; value++) table[value] = value < threshold ? value : 255 - value
  applyTable(canvas)
}

/**
 * Adds the whole part of `addition` to the values below 128, as far as 255: Cubuk et al., "RandAugment", 2019, in
 * the authors' code.
 */
export const solarizeAdd = (canvas: Canvas, addition: number): void => {
  const added = Math.trunc(addition)
  for (let value = 0; value < 256; value++) {
    table[value] = value < 128 ? Math.min(255, Math.max(0, value + added)) : value
  }
  applyTable(canvas)
}

/** Multiplies by 1 + `deviation`. */
export const brightness = (canvas: Canvas, deviation: number): void => {
  const factor = Math.fround(1 + deviation)
  for (let value = 0; value < 256; value++) table[value] = blendValue(0, value, factor)
  applyTable(canvas)
}

/** Scales the distance to the image's mean grey by 1 + `deviation`. */
export const contrast = (canvas: Canvas, deviation: number): void => {
  const { pixels } = canvas
  const factor = Math.fround(1 + deviation)
  let sum = 0
  for (let i = 0; i < pixels.length; i += 3) sum += grey(pixels[i], pixels[i + 1], pixels[i + 2])
  const mean = Math.trunc(sum / (pixels.length / 3) + 0.5)
  for (let value = 0; value < 256; value++) table[value] = blendValue(mean, value, factor)
  applyTable(canvas)
}

/** Stretches each channel to the whole range from 0 to 255. */
export const autoContrast = (canvas: Canvas): void => {
  countValues(canvas)
  for (let channel = 0; channel < 3; channel++) {
    const count = counts[channel]
    const stretched = tables[channel]
    let low = 0
    while (low < 255 && count[low] === 0) low++
    let high = 255
    while (high > 0 && count[high] === 0) high--
    const scale = high > low ? 255 / (high - low) : 1
    const offset = high > low ? -low * scale : 0
    for (let value = 0; value < 256; value++) {
      stretched[value] = Math.min(255, Math.max(0, Math.trunc(value * scale + offset)))
    }
  }
  applyTables(canvas)
}

/** Equalises the histogram of each channel. */
export const equalize = (canvas: Canvas): void => {
  countValues(canvas)
  for (let channel = 0; channel < 3; channel++) {
    const count = counts[channel]
    const equalized = tables[channel]
    let last = 255
    while (last > 0 && count[last] === 0) last--
    const step = Math.trunc((canvas.pixels.length / 3 - count[last]) / 255)
    let sum = step >> 1
    for (let value = 0; value < 256; value++) {
      equalized[value] = step === 0 ? value : Math.min(255, Math.trunc(sum / step))
      sum += count[value]
    }
  }
  applyTables(canvas)
}
