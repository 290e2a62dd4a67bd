/** Policies: which operations are done to an image, how often and how strongly. */
import type { Draws } from "../../Random.ts"
import { noteOperation, type Trace } from "../Batch/Breadcrumbs.ts"
import type { Canvas, Colour } from "../Kernel/Canvas.ts"
import { fillBox } from "../Kernel/Erase.ts"
import { type Operation, operate, WITHOUT_MAGNITUDE } from "../Kernel/Operation.ts"
import { cifar10, imagenet, type LevelledPolicy, svhn } from "./AutoAugment.ts"
import { fastCifar10 } from "./FastAutoAugment.ts"
import { autoAugmentTable, type ImageSize, type MagnitudeTable } from "./Magnitude.ts"

export type { LevelledPolicy } from "./AutoAugment.ts"

const levelled = { cifar10, svhn, imagenet } satisfies Readonly<Record<string, LevelledPolicy>>

export const POLICY_NAMES = ["cifar10", "svhn", "imagenet", "fast-cifar10"] as const
export type PolicyName = (typeof POLICY_NAMES)[number]

/** An operation of a sub-policy, for images of one size. Cutout hides a square; its magnitude is the side in pixels. */
export interface PolicyOperation {
  readonly operation: Operation | "Cutout"
  readonly probability: number
  readonly magnitude: number
  /** Whether each sign of the magnitude is taken for half of the images. */
  readonly signed: boolean
}

/** What a sub-policy does, as a picture shows it. */
interface PolicyExample {
  readonly label: string
  readonly change: (canvas: Canvas, random: Draws) => void
}

/** One sub-policy is drawn for each image, and its operations are done in order. */
export type Policy = ReadonlyArray<ReadonlyArray<PolicyOperation>>

const fromLevels = (policy: LevelledPolicy, size: ImageSize): Policy => {
  const table = autoAugmentTable(size)
  return policy.map((operations) =>
    operations.map(([operation, probability, level]) => {
      const { signed, values } = table.get(operation)!
      return { operation, probability, magnitude: level === null ? 0 : values[level], signed }
    })
  )
}

/** The magnitude of a Fast AutoAugment operation at a level in [0, 1]. */
const fastMagnitude = (
  operation: PolicyOperation["operation"],
  level: number,
  { height, width }: ImageSize
): Pick<PolicyOperation, "magnitude" | "signed"> => {
  // Levels of signed operations go from one end to the other, and then a sign is drawn all the same.
  const signed = (end: number) => ({ magnitude: (2 * level - 1) * end, signed: true })
  const unsigned = (magnitude: number) => ({ magnitude, signed: false })
  switch (operation) {
    case "ShearX":
    case "ShearY":
      return signed(0.3)
    // Moved by the nearest whole number of pixels.
    case "TranslateX":
      return { magnitude: Math.round((2 * level - 1) * 0.45 * width), signed: true }
    case "TranslateY":
      return { magnitude: Math.round((2 * level - 1) * 0.45 * height), signed: true }
    case "Rotate":
      return signed(30)
    case "Brightness":
    case "Color":
    case "Contrast":
    case "Sharpness":
      return unsigned((2 * level - 1) * 0.9)
    case "Posterize":
      return unsigned(4 + 4 * level)
    case "Solarize":
      return unsigned(256 * level)
    case "Cutout":
      return unsigned(0.2 * level * width)
    default:
      return unsigned(0)
  }
}

const fastAutoAugment = (size: ImageSize): Policy =>
  fastCifar10
    .trim()
    .split("\n")
    .map((line) => {
      const words = line.split(" ")
      return [0, 3].map((at) => {
        const operation = words[at] as PolicyOperation["operation"]
        return {
          operation,
          probability: Number(words[at + 1]),
          ...fastMagnitude(operation, Number(words[at + 2]), size)
        }
      })
    })

/** A policy by name or by levels, for images of one size. */
export const policyFor = (policy: PolicyName | LevelledPolicy, size: ImageSize): Policy => {
  if (typeof policy !== "string") return fromLevels(policy, size)
  return policy === "fast-cifar10" ? fastAutoAugment(size) : fromLevels(levelled[policy], size)
}

/** The colour of what Cutout hides in Fast AutoAugment. */
const HIDDEN: Colour = [125, 123, 114]

/** A square around a point drawn from the image, as large as Pillow draws it: its border belongs to it. */
const cutout = (canvas: Canvas, side: number, random: Draws): void => {
  const { height, width } = canvas
  const left = Math.trunc(Math.max(0, random.uniform() * width - side / 2))
  const top = Math.trunc(Math.max(0, random.uniform() * height - side / 2))
  if (side > 0) fillBox(canvas, top, left, Math.trunc(top + side) + 1, Math.trunc(left + side) + 1, HIDDEN)
}

/** Does an operation with its magnitude, of either sign where it is signed, and notes it before it starts. */
export const perform = (
  canvas: Canvas,
  { magnitude, operation, signed }: Omit<PolicyOperation, "probability">,
  random: Draws,
  fill: Colour,
  trace: Trace
): void => {
  noteOperation(trace, operation)
  if (operation === "Cutout") cutout(canvas, magnitude, random)
  else operate(canvas, operation, signed && random.int(2) === 0 ? -magnitude : magnitude, fill)
}

const labelOf = ({ magnitude, operation }: PolicyOperation): string =>
  WITHOUT_MAGNITUDE.has(operation) ? operation : `${operation} ${Math.round(100 * magnitude) / 100}`

/** A picture of each sub-policy, done for certain and with a positive sign. */
export const examplesOf = (policy: Policy, fill: Colour, trace: Trace): ReadonlyArray<PolicyExample> =>
  policy.map((operations) => ({
    label: operations.map(labelOf).join(" · "),
    change: (canvas, random) => {
      for (const operation of operations)
        perform(canvas, { ...operation, signed: false }, random, fill, trace)
    }
  }))

/** A picture of each operation of a table at one level, or at its only one. */
export const examplesAt = (
  table: MagnitudeTable,
  level: number,
  fill: Colour,
  trace: Trace
): ReadonlyArray<PolicyExample> =>
  examplesOf(
    [...table].map(([operation, { values }]) => [
      { operation, probability: 1, magnitude: values[Math.min(level, values.length - 1)], signed: false }
    ]),
    fill,
    trace
  )
