/** The operations of AutoAugment, RandAugment and TrivialAugment by name. */
import { color, sharpness } from "./Blend.ts"
import type { Canvas, Colour } from "./Canvas.ts"
import { rotate, shearX, shearY, translateX, translateY } from "./Geometry.ts"
import {
  autoContrast,
  brightness,
  contrast,
  equalize,
  invert,
  posterize,
  solarize,
  solarizeAdd
} from "./Tone.ts"

export const OPERATIONS = [
  "Identity",
  "ShearX",
  "ShearY",
  "TranslateX",
  "TranslateY",
  "Rotate",
  "Brightness",
  "Color",
  "Contrast",
  "Sharpness",
  "Posterize",
  "Solarize",
  "SolarizeAdd",
  "AutoContrast",
  "Equalize",
  "Invert"
] as const

export type Operation = (typeof OPERATIONS)[number]

/** The operations that are done in one way only. */
export const WITHOUT_MAGNITUDE: ReadonlySet<string> = new Set([
  "Identity",
  "AutoContrast",
  "Equalize",
  "Invert"
])

type Operate = (canvas: Canvas, magnitude: number, fill: Colour) => void

const functions: Readonly<Record<Operation, Operate>> = {
  Identity: () => {},
  ShearX: shearX,
  ShearY: shearY,
  TranslateX: translateX,
  TranslateY: translateY,
  Rotate: rotate,
  Brightness: brightness,
  Color: color,
  Contrast: contrast,
  Sharpness: sharpness,
  Posterize: posterize,
  Solarize: solarize,
  SolarizeAdd: solarizeAdd,
  AutoContrast: autoContrast,
  Equalize: equalize,
  Invert: invert
}

/**
 * Does one operation. The magnitude is a factor for ShearX and ShearY, pixels for TranslateX and TranslateY, degrees
 * for Rotate, the deviation from factor 1 for Brightness, Color, Contrast and Sharpness, the bits kept for
 * Posterize, the threshold for Solarize, and what is added for SolarizeAdd; the others have none. `fill` is the
 * colour of what comes in from outside of the image.
 */
export const operate = (canvas: Canvas, operation: Operation, magnitude: number, fill: Colour): void =>
  functions[operation](canvas, magnitude, fill)
