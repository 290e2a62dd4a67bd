/**
 * Signed distance functions in the plane: how far a point is from a form's outline, negative inside. They
 * combine by minimum and maximum, and give anti-aliased edges without supersampling.
 */

/** Signed distance from (x, y) to an outline. */
export type Distance = (x: number, y: number) => number

export type Point = readonly [x: number, y: number]

export const disc =
  (cx: number, cy: number, radius: number): Distance =>
  (x, y) =>
    Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy)) - radius

export const union =
  (a: Distance, b: Distance): Distance =>
  (x, y) =>
    Math.min(a(x, y), b(x, y))

/** What of `a` lies outside `b`. */
export const subtract =
  (a: Distance, b: Distance): Distance =>
  (x, y) =>
    Math.max(a(x, y), -b(x, y))

/** Squared distance from (x, y) to the segment from (ax, ay) to (bx, by). */
const toSegment = (x: number, y: number, ax: number, ay: number, bx: number, by: number): number => {
  const dx = bx - ax
  const dy = by - ay
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
  const t = Math.max(0, Math.min(1, along))
  const ex = x - ax - t * dx
  const ey = y - ay - t * dy
  return ex * ex + ey * ey
}

/** Coordinates apart: taking points to pieces for every pixel would be most of the work. */
const coordinates = (points: ReadonlyArray<Point>) => ({
  xs: Float64Array.from(points, ([x]) => x),
  ys: Float64Array.from(points, ([, y]) => y)
})

/** A closed polygon, filled. */
export const polygon = (points: ReadonlyArray<Point>): Distance => {
  const { xs, ys } = coordinates(points)
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY
    let inside = false
    let ax = xs[xs.length - 1]
    let ay = ys[ys.length - 1]
    for (let i = 0; i < xs.length; i++) {
      const bx = xs[i]
      const by = ys[i]
      nearest = Math.min(nearest, toSegment(x, y, ax, ay, bx, by))
      // A ray to the right crosses the outline an odd number of times from inside.
      if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) inside = !inside
      ax = bx
      ay = by
    }
    return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest)
  }
}

/** An open line through the points, drawn with a round pen of the given radius. */
export const stroke = (points: ReadonlyArray<Point>, penRadius: number): Distance => {
  const { xs, ys } = coordinates(points)
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY
    for (let i = 1; i < xs.length; i++) {
      nearest = Math.min(nearest, toSegment(x, y, xs[i - 1], ys[i - 1], xs[i], ys[i]))
    }
    return Math.sqrt(nearest) - penRadius
  }
}

/** A point at an angle (radians) and distance from the origin. */
export const polar = (angle: number, radius: number): Point => [
  radius * Math.cos(angle),
  radius * Math.sin(angle)
]
