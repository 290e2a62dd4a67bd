import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { splitDataset } from "../../src/Data/Load.ts"
import { splitNamed, stratifiedSplit } from "../../src/Data/Split.ts"
import { channelStatistics, fingerprint, shared } from "../../src/Data/Statistics.ts"

const labelsOf = (...counts: ReadonlyArray<number>): Uint16Array =>
  Uint16Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label)))

const names = (count: number) => Array.from({ length: count }, (_, i) => `class${i}`)

/** How many of the indices are of each class. */
const perClass = (labels: Uint16Array, indices: Uint32Array, classes: number) =>
  names(classes).map((_, label) => indices.filter((index) => labels[index] === label).length)

const isSorted = (indices: Uint32Array) => indices.every((index, i) => i === 0 || indices[i - 1] < index)

describe("stratifiedSplit", () => {
  it.effect("takes the same share of each class, each image once, sorted", () =>
    Effect.gen(function* () {
      const labels = labelsOf(500, 300, 200)
      const { train, validation } = yield* stratifiedSplit(labels, names(3), 100, 7)
      assert.deepStrictEqual(perClass(labels, validation, 3), [50, 30, 20])
      assert.deepStrictEqual(
        Uint32Array.from([...train, ...validation]).sort(),
        Uint32Array.from(labels.keys())
      )
      assert.isTrue(isSorted(train) && isSorted(validation))
    })
  )

  it.effect("shares what does not divide evenly out by the largest remainder", () =>
    Effect.gen(function* () {
      const labels = labelsOf(7, 8, 5)
      // Exact shares are 2.1, 2.4 and 1.5.
      const { validation } = yield* stratifiedSplit(labels, names(3), 6, 0)
      assert.deepStrictEqual(perClass(labels, validation, 3), [2, 2, 2])
    })
  )

  it.effect("leaves each class an image to train on, and refuses where it cannot", () =>
    Effect.gen(function* () {
      const labels = labelsOf(1, 1, 8, 0)
      const { train, validation } = yield* stratifiedSplit(labels, names(4), 7, 0)
      assert.deepStrictEqual(perClass(labels, train, 4), [1, 1, 1, 0])
      assert.strictEqual(validation.length, 7)
      for (const wanted of [8, 10, 11]) {
        const { message } = yield* Effect.flip(stratifiedSplit(labels, names(4), wanted, 0))
        assert.include(message, `cannot hold ${wanted} of 10 training images out for validation`)
        assert.include(message, "at most 7")
      }
    })
  )

  it.effect("depends on the seed alone, and is a random choice", () =>
    Effect.gen(function* () {
      const labels = labelsOf(100, 100)
      const split = (seed: number) =>
        Effect.map(stratifiedSplit(labels, names(2), 20, seed), ({ validation }) => Array.from(validation))
      const first = yield* split(3)
      assert.deepStrictEqual(yield* split(3), first)
      assert.notDeepEqual(yield* split(4), first)
      assert.deepStrictEqual(
        first,
        [2, 25, 27, 55, 61, 63, 78, 82, 85, 92, 118, 120, 137, 156, 166, 168, 181, 184, 190, 193]
      )
    })
  )

  it.effect("holds nothing out for 0", () =>
    Effect.gen(function* () {
      const { train, validation } = yield* stratifiedSplit(labelsOf(2, 3), names(2), 0, 0)
      assert.deepStrictEqual([train.length, validation.length], [5, 0])
    })
  )
})

it.effect("a split without images is refused by name: nothing has an accuracy there", () =>
  Effect.gen(function* () {
    const images = { pixels: shared(24), count: 2, height: 2, width: 2 }
    const all = { images, labels: labelsOf(1, 1) }
    const dataset = yield* splitDataset(
      { name: "pets", classes: names(2), train: all, test: all },
      { validation: 0 }
    )
    const error = yield* Effect.flip(splitNamed(dataset, "validation"))
    assert.strictEqual(error.message, "pets has no validation images to measure anything on")
    assert.strictEqual(yield* splitNamed(dataset, "test"), dataset.test)
  })
)

describe("channelStatistics", () => {
  it("gives mean and population standard deviation of each channel on the scale of 0 to 1, and 1 where one never changes", () => {
    const { mean, std } = channelStatistics({ pixels: Uint8Array.of(0, 51, 255, 255, 51, 0, 0, 51, 255) })
    assert.deepStrictEqual(
      mean.map((value) => value.toFixed(12)),
      [1 / 3, 0.2, 2 / 3].map((value) => value.toFixed(12))
    )
    const expected = [Math.sqrt(2) / 3, 1, Math.sqrt(2) / 3]
    std.forEach((value, channel) => {
      assert.approximately(value, expected[channel], 1e-12)
    })
  })
})

describe("fingerprint", () => {
  const set = () => {
    const images = () => {
      const pixels = shared(12)
      pixels.set(Array.from({ length: 12 }, (_, i) => 20 * i))
      return { images: { pixels, count: 1, height: 2, width: 2 }, labels: Uint16Array.of(1) }
    }
    return { classes: ["a", "b"], train: images(), test: images() }
  }

  it("is the SHA-256 of names, sizes, pixels and labels", () => {
    assert.strictEqual(fingerprint(set()), "e59f2203c450fabc3fed4960072a2ad6c681701aece8d194f18a7e68ae718646")
  })

  it("changes with each of them", () => {
    const changed = [set(), set(), set(), set(), set()]
    changed[0].classes[1] = "c"
    changed[1].train.images.pixels[11]++
    changed[2].test.labels[0] = 0
    changed[3].train.images.height = 1
    assert.strictEqual(new Set(changed.map(fingerprint)).size, 5)
  })
})
