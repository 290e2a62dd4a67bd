/**
 * How strong each operation is at each level, in torchvision's tables: they are float32 numbers there, and so they
 * are here.
 */
import { roundHalfEven } from "../../Platform/Rounding.ts"
import type { Operation } from "../Kernel/Operation.ts"

export interface Magnitudes {
  /** In the operation's units, from the lowest level to the highest; a single 0 for an operation without magnitude. */
  readonly values: ReadonlyArray<number>
  /** Whether each sign is taken for half of the images. */
  readonly signed: boolean
}

export type MagnitudeTable = ReadonlyMap<Operation, Magnitudes>

export interface ImageSize {
  readonly height: number
  readonly width: number
}

/** `count` float32 numbers from `start` to `end`, the second half counted from the end, as `torch.linspace` does. */
const linspace = (start: number, end: number, count: number): Array<number> => {
  const step = Math.fround(Math.fround(end - start) / (count - 1))
  return Array.from({ length: count }, (_, i) =>
    Math.fround(i < Math.floor(count / 2) ? start + step * i : end - step * (count - 1 - i))
  )
}

/** Bits kept, from 8 down to 8 − `lost`. */
const bitsKept = (lost: number, bins: number): Array<number> =>
  Array.from({ length: bins }, (_, i) => 8 - roundHalfEven(Math.fround(i / ((bins - 1) / lost))))

interface Strengths {
  readonly shear: number
  readonly translateX: number
  readonly translateY: number
  readonly degrees: number
  /** Of brightness, colour, contrast and sharpness. */
  readonly deviation: number
  readonly bitsLost: number
}

const table = (strengths: Strengths, bins: number): MagnitudeTable => {
  const signed = (end: number): Magnitudes => ({ values: linspace(0, Math.fround(end), bins), signed: true })
  const unsigned = (values: ReadonlyArray<number>): Magnitudes => ({ values, signed: false })
  const none = unsigned([0])
  return new Map<Operation, Magnitudes>([
    ["Identity", none],
    ["ShearX", signed(strengths.shear)],
    ["ShearY", signed(strengths.shear)],
    ["TranslateX", signed(strengths.translateX)],
    ["TranslateY", signed(strengths.translateY)],
    ["Rotate", signed(strengths.degrees)],
    ["Brightness", signed(strengths.deviation)],
    ["Color", signed(strengths.deviation)],
    ["Contrast", signed(strengths.deviation)],
    ["Sharpness", signed(strengths.deviation)],
    ["Posterize", unsigned(bitsKept(strengths.bitsLost, bins))],
    ["Solarize", unsigned(linspace(255, 0, bins))],
    ["AutoContrast", none],
    ["Equalize", none]
  ])
}

/** RandAugment's 14 operations. Translations are up to 150 pixels of an image of 331, as in the paper. */
export const randAugmentTable = ({ height, width }: ImageSize, bins: number): MagnitudeTable =>
  table(
    {
      shear: 0.3,
      translateX: (150 / 331) * width,
      translateY: (150 / 331) * height,
      degrees: 30,
      deviation: 0.9,
      bitsLost: 4
    },
    bins
  )

/** AutoAugment's ten levels: RandAugment's operations, SolarizeAdd (up to 110) and Invert. */
export const autoAugmentTable = (size: ImageSize): MagnitudeTable =>
  new Map([
    ...randAugmentTable(size, 10),
    ["SolarizeAdd", { values: linspace(0, 110, 10), signed: false }],
    ["Invert", { values: [0], signed: false }]
  ])

/** TrivialAugment's 14 operations in their wide ranges, the same for every size of image. */
export const trivialAugmentWideTable = (bins: number): MagnitudeTable =>
  table({ shear: 0.99, translateX: 32, translateY: 32, degrees: 135, deviation: 0.99, bitsLost: 6 }, bins)
