/**
 * The ten forms of the procedural data set, each inside the unit circle and a little different every time.
 */
import type { Draws } from "../../Random.ts"
import { type Distance, disc, type Point, polar, polygon, stroke, subtract, union } from "./Distance.ts"

const TURN = 2 * Math.PI

const between = (random: Draws, low: number, high: number): number => low + (high - low) * random.uniform()

const rectangle = (cx: number, cy: number, halfWidth: number, halfHeight: number): Distance =>
  polygon([
    [cx - halfWidth, cy - halfHeight],
    [cx + halfWidth, cy - halfHeight],
    [cx + halfWidth, cy + halfHeight],
    [cx - halfWidth, cy + halfHeight]
  ])

const star = (inner: number): Distance =>
  polygon(Array.from({ length: 10 }, (_, i) => polar((i * TURN) / 10, i % 2 === 0 ? 1 : inner)))

/** Two triangles that point at each other. */
const hourglass = (halfWaist: number): Distance =>
  polygon([
    [-0.68, -0.72],
    [0.68, -0.72],
    [halfWaist, 0],
    [0.68, 0.72],
    [-0.68, 0.72],
    [-halfWaist, 0]
  ])

const spiral = (turns: number, penRadius: number): Distance => {
  const steps = 28
  const points: Array<Point> = []
  for (let i = 0; i <= steps; i++) {
    const t = i / steps
    // Evenly spaced along the line rather than in angle, so that the outer turn stays round.
    const u = Math.sqrt(t)
    points.push(polar(u * turns * TURN, 0.05 + (0.95 - penRadius) * u))
  }
  return stroke(points, penRadius)
}

const stripes = (halfWidth: number): Distance => {
  const offset = 0.78 - halfWidth
  const bar = (y: number) => rectangle(0, y, 0.8, halfWidth)
  return union(bar(0), union(bar(-offset), bar(offset)))
}

/** Class names and how to draw one of each. */
export const forms: ReadonlyArray<readonly [name: string, make: (random: Draws) => Distance]> = [
  ["circle", () => disc(0, 0, 0.9)],
  ["ring", (random) => subtract(disc(0, 0, 0.95), disc(0, 0, between(random, 0.45, 0.65)))],
  ["square", () => rectangle(0, 0, 0.72, 0.72)],
  ["triangle", () => polygon([polar(0, 1), polar(TURN / 3, 1), polar((2 * TURN) / 3, 1)])],
  ["star", (random) => star(between(random, 0.38, 0.46))],
  [
    "cross",
    (random) => {
      const halfWidth = between(random, 0.2, 0.3)
      return union(rectangle(0, 0, 0.95, halfWidth), rectangle(0, 0, halfWidth, 0.95))
    }
  ],
  [
    "crescent",
    (random) => {
      const offset = between(random, 0.45, 0.6)
      return subtract(disc(0, 0, 0.95), disc(offset, 0, 0.8))
    }
  ],
  ["hourglass", (random) => hourglass(between(random, 0.06, 0.14))],
  ["spiral", (random) => spiral(between(random, 1.6, 1.9), 0.13)],
  ["stripes", (random) => stripes(between(random, 0.13, 0.17))]
]
