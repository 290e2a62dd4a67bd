import { assert, describe, it } from "@effect/vitest"
import { crop, flipHorizontally, makeCanvas } from "../../src/Augment.ts"
import { VIEWS, type ViewConfig } from "../../src/Config/Views.ts"
import { draws } from "../../src/Random.ts"
import { show, type View, viewsOf } from "../../src/Train/Evaluate/View.ts"

const size = { height: 9, width: 10 }
const images = { size, mean: [0.5, 0.5, 0.5] as const }
const COUNT = 4
const BYTES = size.height * size.width * 3
const random = draws(1, "test views")
const pixels = Uint8Array.from({ length: COUNT * BYTES }, () => random.int(256))
const numbers = [7, 3, 11, 0]

const shown = (view: View, from = 0, to = COUNT) =>
  show(view, pixels.subarray(from * BYTES, to * BYTES), size, numbers.slice(from, to))

const window = (
  x: number,
  y: number,
  flip = false,
  mode: "reflect" | "zero" | "edge" = "reflect",
  weight = 1
): ViewConfig => ({ _tag: "Window", x, y, flip, mode, weight })

const augmented = (draws: number, weight = 1, seed = 1): ViewConfig => {
  const pipeline = [{ _tag: "RandomCrop", padding: 2, mode: "reflect" }] as const
  return { _tag: "Augmented", pipeline, draws, seed, weight }
}

/** Does to each image what is done to a canvas. */
const byHand = (change: (canvas: ReturnType<typeof makeCanvas>) => void): Uint8Array => {
  const result = new Uint8Array(pixels.length)
  for (let i = 0; i < COUNT; i++) {
    const canvas = makeCanvas(size.height, size.width)
    canvas.pixels.set(pixels.subarray(i * BYTES, (i + 1) * BYTES))
    change(canvas)
    result.set(canvas.pixels, i * BYTES)
  }
  return result
}

describe("a window", () => {
  it("that is not moved shows images as they are, and mirrored twice as well", () => {
    const [identity, flip] = viewsOf("flip", images)
    assert.deepStrictEqual(shown(identity), pixels)
    const mirrored = shown(flip)
    assert.deepStrictEqual(mirrored, byHand(flipHorizontally))
    assert.notDeepEqual(mirrored, pixels)
    assert.deepStrictEqual(show(flip, mirrored, size, numbers), pixels)
  })

  it("shows what a crop shows, and is mirrored after that", () => {
    for (const mode of ["reflect", "zero", "edge"] as const) {
      for (const [x, y] of [
        [1, 0],
        [0, -2],
        [-3, 2]
      ]) {
        const [view] = viewsOf([window(x, y, false, mode)], images)
        assert.deepStrictEqual(
          shown(view),
          byHand((canvas) => crop(canvas, y, x, mode))
        )
        const [mirrored] = viewsOf([window(x, y, true, mode)], images)
        assert.deepStrictEqual(
          shown(mirrored),
          byHand((canvas) => {
            crop(canvas, y, x, mode)
            flipHorizontally(canvas)
          })
        )
      }
    }
  })
})

describe("named views", () => {
  it("airbench are six, with half of the weight on those that are not moved", () => {
    const views = viewsOf("airbench", images)
    assert.deepStrictEqual(
      views.map(({ weight }) => weight),
      [2, 2, 1, 1, 1, 1]
    )
    const moved = [-1, 1].map((by) => byHand((canvas) => crop(canvas, by, by, "reflect")))
    assert.deepStrictEqual(shown(views[2]), moved[0])
    assert.deepStrictEqual(shown(views[4]), moved[1])
    const [, flip] = views
    assert.deepStrictEqual(shown(views[3]), show(flip, moved[0], size, numbers))
  })

  it("ten-crop are ten different ones of the same weight", () => {
    const views = viewsOf("ten-crop", images)
    assert.deepStrictEqual(
      views.map(({ weight }) => weight),
      Array.from({ length: 10 }, () => 1)
    )
    assert.strictEqual(new Set(views.map((view) => shown(view).join())).size, 10)
  })

  it("stand for the views that they list", () => {
    for (const name of ["identity", "flip", "airbench", "ten-crop"] as const) {
      assert.deepStrictEqual(
        viewsOf(name, images).map(({ key }) => key),
        viewsOf(VIEWS[name], images).map(({ key }) => key)
      )
    }
  })

  it("that are alike are one with the sum of their weights", () => {
    const views = viewsOf(
      [window(1, 0), window(0, 0, false, "reflect", 3), window(1, 0, false, "reflect", 0.5)],
      images
    )
    assert.deepStrictEqual(
      views.map(({ weight }) => weight),
      [1.5, 3]
    )
  })
})

describe("draws of an augmentation", () => {
  it("differ from each other, and share the weight", () => {
    const views = viewsOf([augmented(5, 2)], images)
    assert.deepStrictEqual(
      views.map(({ weight }) => weight),
      [0.4, 0.4, 0.4, 0.4, 0.4]
    )
    assert.strictEqual(new Set(views.map((view) => shown(view).join())).size, 5)
    assert.strictEqual(new Set(views.map(({ key }) => key)).size, 5)
  })

  it("are those of the image's number, whatever is shown beside it", () => {
    for (const view of viewsOf([augmented(3)], images)) {
      const together = shown(view)
      for (const step of [1, 3]) {
        for (let from = 0; from < COUNT; from += step) {
          const to = Math.min(COUNT, from + step)
          assert.deepStrictEqual(shown(view, from, to), together.subarray(from * BYTES, to * BYTES))
        }
      }
    }
  })

  it("are others with another seed, and the same ones again whatever their number", () => {
    const [one] = viewsOf([augmented(1)], images)
    const [same] = viewsOf([augmented(4)], images)
    const [other] = viewsOf([augmented(1, 1, 2)], images)
    assert.deepStrictEqual(shown(same), shown(one))
    assert.strictEqual(same.key, one.key)
    assert.notDeepEqual(shown(other), shown(one))
    assert.notStrictEqual(other.key, one.key)
  })
})
