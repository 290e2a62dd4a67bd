/**
 * The procedural data set: ten classes of forms drawn in code, 32×32 RGB, for a first run without a download.
 *
 * Colours, place, size, angle, background and clutter are independent of the class, and the form is as often
 * lighter than its background as darker. So a single pixel says next to nothing, a linear classifier stays
 * near chance, and a small convolutional network learns the forms within a few epochs.
 */
import { type Draws, draws } from "../Random.ts"
import type { LabelledImages } from "./Labelled.ts"
import { type Distance, stroke } from "./Shapes/Distance.ts"
import { forms } from "./Shapes/Forms.ts"
import { shared } from "./Statistics.ts"

/** Height and width in pixels. */
const SIZE = 32

type Colour = readonly [red: number, green: number, blue: number]

const between = (random: Draws, low: number, high: number): number => low + (high - low) * random.uniform()

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value))

const anyColour = (random: Draws): Colour => [random.uniform(), random.uniform(), random.uniform()]

/** A colour within `spread` of another in each channel. */
const near = (random: Draws, [red, green, blue]: Colour, spread: number): Colour => [
  clamp(red + between(random, -spread, spread), 0, 1),
  clamp(green + between(random, -spread, spread), 0, 1),
  clamp(blue + between(random, -spread, spread), 0, 1)
]

/** Squared distance of two colours in the RGB cube; white and black are 3 apart. */
const contrast = (a: Colour, b: Colour): number =>
  (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2

/** Fills the canvas with a linear gradient between two colours, at any angle. */
const paintGradient = (canvas: Float64Array, from: Colour, to: Colour, angle: number): void => {
  const dx = Math.cos(angle) / SIZE
  const dy = Math.sin(angle) / SIZE
  for (let y = 0, at = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const t = clamp(0.5 + (x - SIZE / 2) * dx + (y - SIZE / 2) * dy, 0, 1)
      for (let c = 0; c < 3; c++) canvas[at++] = from[c] + t * (to[c] - from[c])
    }
}

/** Where a form's unit circle lies on the canvas, in pixels and radians; `stretch` scales its second axis. */
interface Place {
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly angle: number
  readonly stretch: number
}

/** Draws a form over the canvas; its colour runs from one to the other along its second axis. */
const paintForm = (canvas: Float64Array, form: Distance, place: Place, from: Colour, to: Colour): void => {
  const cos = Math.cos(place.angle)
  const sin = Math.sin(place.angle)
  const reach = place.radius + 1
  const left = Math.max(0, Math.floor(place.x - reach))
  const right = Math.min(SIZE - 1, Math.ceil(place.x + reach))
  const top = Math.max(0, Math.floor(place.y - reach))
  const bottom = Math.min(SIZE - 1, Math.ceil(place.y + reach))
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const dx = (x + 0.5 - place.x) / place.radius
      const dy = (y + 0.5 - place.y) / place.radius
      const u = dx * cos + dy * sin
      const v = (dy * cos - dx * sin) / place.stretch
      const cover = 0.5 - form(u, v) * place.radius
      if (cover <= 0) continue
      const opacity = Math.min(cover, 1)
      const t = clamp(0.5 + 0.5 * v, 0, 1)
      const at = (y * SIZE + x) * 3
      for (let c = 0; c < 3; c++)
        canvas[at + c] += opacity * (from[c] + t * (to[c] - from[c]) - canvas[at + c])
    }
}

/** A short stroke, too thin to be taken for one of the forms. */
const paintMark = (canvas: Float64Array, random: Draws): void => {
  const colour = anyColour(random)
  const half = between(random, 0.01, 0.7)
  const place = {
    x: SIZE * random.uniform(),
    y: SIZE * random.uniform(),
    radius: 4.5,
    angle: Math.PI * random.uniform(),
    stretch: 1
  }
  const form = stroke(
    [
      [-half, 0],
      [half, 0]
    ],
    between(random, 0.12, 0.26)
  )
  paintForm(canvas, form, place, colour, colour)
}

/** Draws one image of class `label` into `pixels`. */
const paint = (canvas: Float64Array, pixels: Uint8Array, label: number, random: Draws): void => {
  const ground = anyColour(random)
  const ground2 = near(random, ground, 0.3)
  let colour = anyColour(random)
  while (contrast(colour, ground) < 0.25 || contrast(colour, ground2) < 0.25) colour = anyColour(random)
  paintGradient(canvas, ground, ground2, 2 * Math.PI * random.uniform())
  for (let marks = 2 + random.int(5); marks > 0; marks--) paintMark(canvas, random)

  const radius = between(random, 9.5, 14)
  const margin = 0.85 * radius
  const place = {
    x: between(random, margin, SIZE - margin),
    y: between(random, margin, SIZE - margin),
    radius,
    angle: 2 * Math.PI * random.uniform(),
    stretch: between(random, 0.85, 1)
  }
  paintForm(canvas, forms[label][1](random), place, colour, near(random, colour, 0.15))

  // Four bytes of noise out of each draw: cheap, and fine enough for pixels.
  const noise = between(random, 0.02, 0.14)
  let word = 0
  for (let i = 0; i < pixels.length; i++) {
    word = i % 4 === 0 ? random.uint32() : word >>> 8
    const value = canvas[i] + noise * ((word & 255) / 127.5 - 1)
    pixels[i] = Math.floor(clamp(value, 0, 1) * 255 + 0.5)
  }
}

const drawSplit = (count: number, stream: string, seed: number): LabelledImages["train"] => {
  const size = SIZE * SIZE * 3
  const pixels = shared(count * size)
  const labels = new Uint16Array(count)
  const canvas = new Float64Array(size)
  for (let i = 0; i < count; i++) {
    labels[i] = i % forms.length
    paint(canvas, pixels.subarray(i * size, (i + 1) * size), labels[i], draws(seed, stream, i))
  }
  return { images: { pixels, count, height: SIZE, width: SIZE }, labels }
}

/**
 * Draws the data set. Image i of a split is of class i mod 10 and a pure function of (seed, split, i), so a
 * smaller set is the beginning of a larger one. Training and test images come from different random streams.
 */
export const shapes = (
  options: { readonly train?: number; readonly test?: number; readonly seed?: number } = {}
): LabelledImages => {
  const { train = 10_000, test = 2_000, seed = 0 } = options
  return {
    name: "shapes",
    classes: forms.map(([name]) => name),
    train: drawSplit(train, "shapes/train", seed),
    test: drawSplit(test, "shapes/test", seed)
  }
}
