import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { beta, drawCutMix, drawMixup } from "../../src/Augment/Kernel/Mix.ts"
import { OPERATIONS } from "../../src/Augment/Kernel/Operation.ts"
import type { Pipeline } from "../../src/Augment/Pipeline.ts"
import { trivialAugmentWideTable } from "../../src/Augment/Policy/Magnitude.ts"
import { epochBatches } from "../../src/Augment.ts"
import { draws } from "../../src/Random.ts"
import { assertFits, assertUniform, betaDistribution, countOf } from "./statistics.ts"
import { datasetOf, forEachImage } from "./support.ts"

const BLACK = [0, 0, 0] as const
const black = (height: number, width: number) => ({
  height,
  width,
  pixels: new Uint8Array(height * width * 3)
})

/** A black image with one white pixel in the middle of an odd size. */
const marked = (size: number) => {
  const image = black(size, size)
  image.pixels.fill(255, ((size * size) >> 1) * 3, ((size * size) >> 1) * 3 + 3)
  return image
}

/** The first pixel that `is` picks out, by its number. */
const pixelWhere = (pixels: Uint8Array, is: (value: number) => boolean): number =>
  Math.floor(pixels.findIndex(is) / 3)

describe("draws of a pipeline", () => {
  it("RandomCrop moves to each of its windows equally often", () => {
    const counts = new Array<number>(25).fill(0)
    forEachImage([{ _tag: "RandomCrop", padding: 2, mode: "zero" }], marked(7), 5000, (pixels) => {
      const at = pixelWhere(pixels, (value) => value > 0)
      counts[(Math.floor(at / 7) - 1) * 5 + (at % 7) - 1]++
    })
    assertUniform(counts)
  })

  it("RandomHorizontalFlip mirrors the share p, independently for neighbours and epochs", () => {
    const image = { height: 1, width: 2, pixels: Uint8Array.of(0, 0, 0, 9, 9, 9) }
    const flips = [0, 1].map((epoch) => {
      const flipped: Array<number> = []
      const pipeline: Pipeline = [{ _tag: "RandomHorizontalFlip", p: 0.3 }]
      forEachImage(pipeline, image, 4000, (pixels) => flipped.push(pixels[0] === 9 ? 1 : 0), epoch)
      return flipped
    })
    assertFits(countOf(flips[0], 2), [0.7, 0.3])
    const joint = [0.49, 0.21, 0.21, 0.09]
    const between = (f: (i: number) => number) =>
      countOf(
        flips[0].slice(1).map((_, i) => f(i)),
        4
      )
    assertFits(
      between((i) => 2 * flips[0][i] + flips[0][i + 1]),
      joint,
      "neighbours"
    )
    assertFits(
      between((i) => 2 * flips[0][i] + flips[1][i]),
      joint,
      "epochs"
    )
  })

  it("AlternatingFlip mirrors a random half in even epochs and the other half in odd ones", () => {
    const image = { height: 1, width: 2, pixels: Uint8Array.of(0, 0, 0, 9, 9, 9) }
    const [first, second, third] = [0, 1, 2].map((epoch) => {
      const flipped: Array<number> = []
      forEachImage([{ _tag: "AlternatingFlip" }], image, 4000, (pixels) => flipped.push(pixels[0] / 9), epoch)
      return flipped
    })
    assertUniform(countOf(first, 2))
    assert.deepStrictEqual(
      second,
      first.map((flipped) => 1 - flipped)
    )
    assert.deepStrictEqual(third, first)
  })

  it("Cutout's centre is any pixel equally often, for every hole", () => {
    // A hole of two pixels a side ends at its centre.
    const counts = new Array<number>(36).fill(0)
    const pairs = new Array<number>(4).fill(0)
    forEachImage([{ _tag: "Cutout", length: 2, holes: 1 }], black(6, 6), 6000, (pixels) => {
      counts[Math.floor(pixels.findLastIndex((value) => value > 0) / 3)]++
    })
    assertUniform(counts)
    // Two holes in an image of two pixels: the left one is always hidden, the right one by either hole.
    forEachImage([{ _tag: "Cutout", length: 2, holes: 2 }], black(1, 2), 4000, (pixels) => {
      pairs[(pixels[0] > 0 ? 1 : 0) + (pixels[3] > 0 ? 2 : 0)]++
    })
    assert.deepStrictEqual([pairs[0], pairs[2]], [0, 0])
    assertFits([pairs[1], pairs[3]], [0.25, 0.75])
  })

  it("RandomErasing takes the share p, areas evenly, shapes evenly in their logarithm, and places evenly", () => {
    const erasing = {
      _tag: "RandomErasing",
      p: 1,
      value: "mean",
      scale: [0.25, 0.25],
      ratio: [1, 1]
    } as const
    const erased = (step: Pipeline[number], size: number, see: (box: Uint8Array) => void) =>
      forEachImage([step], black(size, size), 4000, see)
    let hidden = 0
    erased({ ...erasing, p: 0.4 }, 8, (pixels) => {
      if (pixels.some((value) => value > 0)) hidden++
    })
    assertFits([hidden, 4000 - hidden], [0.4, 0.6], "share")

    const places = new Array<number>(25).fill(0)
    erased(erasing, 8, (pixels) => {
      const at = pixelWhere(pixels, (value) => value > 0)
      places[Math.floor(at / 8) * 5 + (at % 8)]++
    })
    assertUniform(places, "places")

    // A square's side is the rounded root of its area.
    const sides = new Array<number>(20).fill(0)
    erased({ ...erasing, scale: [0.04, 0.64] }, 20, (pixels) => {
      sides[Math.round(Math.sqrt(pixels.filter((value) => value > 0).length / 3))]++
    })
    const below = (side: number) => Math.min(1, Math.max(0, ((side / 20) ** 2 - 0.04) / 0.6))
    assertFits(
      sides.slice(4, 17),
      Array.from({ length: 13 }, (_, i) => below(i + 4.5) - below(i + 3.5)),
      "sides"
    )

    // At a given area, the logarithm of a box's height is even too.
    const heights = new Array<number>(41).fill(0)
    erased({ ...erasing, scale: [0.16, 0.16], ratio: [0.25, 4] }, 40, (pixels) => {
      heights[
        new Set(
          Array.from(pixels.keys())
            .filter((i) => pixels[i] > 0)
            .map((i) => Math.floor(i / 120))
        ).size
      ]++
    })
    const lower = (height: number) => Math.min(1, Math.max(0, Math.log(height / 8) / Math.log(4)))
    assertFits(
      heights.slice(8, 33),
      Array.from({ length: 25 }, (_, i) => lower(i + 8.5) - lower(i + 7.5)),
      "heights"
    )
  })

  it("RandomErasing's random values are even", () => {
    const counts = new Array<number>(256).fill(0)
    const step = { _tag: "RandomErasing", p: 1, value: "random", scale: [0.5, 0.5], ratio: [1, 1] } as const
    const image = black(16, 16)
    forEachImage([step], image, 200, (pixels) => {
      for (let y = 0; y < 16; y++)
        for (let x = 0; x < 16; x++) {
          // Rows and columns 5 to 10 lie in the box of 11 by 11 wherever it is.
          if (y >= 5 && y <= 10 && x >= 5 && x <= 10) counts[pixels[(y * 16 + x) * 3 + 1]]++
        }
    })
    assertUniform(counts)
  })

  it("AutoAugment takes each sub-policy equally often, operations by their probability, and both signs", () => {
    const levels = Array.from({ length: 10 }, (_, level) => level)
    // On black, each level of SolarizeAdd gives another grey.
    const greys = new Map(levels.map((level) => [Math.trunc(Math.fround((110 / 9) * level)), level]))
    const [first, ...others] = levels.map((level) => [["SolarizeAdd", 1, level]] as const)
    const policy = [first, ...others] as const
    const chosen: Array<number> = []
    forEachImage([{ _tag: "AutoAugment", policy, fill: BLACK }], black(1, 1), 5000, (pixels) =>
      chosen.push(greys.get(pixels[0])!)
    )
    assertUniform(countOf(chosen, 10), "sub-policies")

    // Adds 12, 24 or both.
    const both = [
      [
        ["SolarizeAdd", 0.2, 1],
        ["SolarizeAdd", 0.7, 2]
      ]
    ] as const
    const added: Array<number> = []
    forEachImage([{ _tag: "AutoAugment", policy: both, fill: BLACK }], black(1, 1), 5000, (pixels) =>
      added.push(pixels[0] / 12)
    )
    assertFits(countOf(added, 4), [0.8 * 0.3, 0.2 * 0.3, 0.8 * 0.7, 0.2 * 0.7], "probabilities")

    let right = 0
    const shift = [[["TranslateX", 1, 9]]] as const
    forEachImage([{ _tag: "AutoAugment", policy: shift, fill: BLACK }], marked(9), 3000, (pixels) => {
      if (pixelWhere(pixels, (value) => value > 0) > 40) right++
    })
    assertUniform([right, 3000 - right], "signs")
  })

  it("RandAugment takes each of its operations equally often, each time anew", () => {
    const counts = new Array<number>(OPERATIONS.length).fill(0)
    forEachImage(
      [{ _tag: "RandAugment", n: 3, m: 9, bins: 31, fill: BLACK }],
      black(2, 2),
      7000,
      (_, __, trace) => {
        counts[trace[2]]++
      }
    )
    const absent = ["SolarizeAdd", "Invert"]
    const ours = OPERATIONS.flatMap((operation, i) => (absent.includes(operation) ? [] : [counts[i]]))
    assert.strictEqual(ours.length, 14)
    assertUniform(ours)
  })

  it("TrivialAugmentWide takes operations, magnitudes and signs equally often", () => {
    const operations = new Array<number>(OPERATIONS.length).fill(0)
    const shifts = new Array<number>(65).fill(0)
    const step = { _tag: "TrivialAugmentWide", bins: 31, fill: BLACK } as const
    const row = black(1, 65)
    row.pixels.fill(255, 32 * 3, 33 * 3)
    forEachImage([step], row, 30_000, (pixels, _, trace) => {
      operations[trace[2]]++
      if (OPERATIONS[trace[2]] === "TranslateX") shifts[pixelWhere(pixels, (value) => value > 0)]++
    })
    assertUniform(operations.filter((count) => count > 0))
    assert.strictEqual(operations.filter((count) => count > 0).length, 14)
    const expected = new Array<number>(65).fill(0)
    for (const value of trivialAugmentWideTable(31).get("TranslateX")!.values) {
      expected[32 + Math.trunc(value)] += 1 / 62
      expected[32 - Math.trunc(value)] += 1 / 62
    }
    const possible = expected.map((share, i) => ({ share, count: shifts[i] }))
    assert.isTrue(possible.every(({ count, share }) => share > 0 || count === 0))
    const taken = possible.filter(({ share }) => share > 0)
    assertFits(
      taken.map(({ count }) => count),
      taken.map(({ share }) => share),
      "shifts"
    )
  })
})

describe("draws of a batch", () => {
  /** Ends of ten intervals of equal probability. */
  const deciles = (a: number): Array<number> =>
    Array.from({ length: 9 }, (_, i) => {
      let [low, high] = [0, 1]
      for (let step = 0; step < 60; step++) {
        const middle = (low + high) / 2
        if (betaDistribution(a, middle) < (i + 1) / 10) low = middle
        else high = middle
      }
      return (low + high) / 2
    })

  it("the reference distribution is right where it is known in closed form", () => {
    for (const x of [0.01, 0.2, 0.5, 0.77]) {
      assert.closeTo(betaDistribution(1, x), x, 1e-9)
      assert.closeTo(betaDistribution(2, x), 3 * x ** 2 - 2 * x ** 3, 1e-9)
      assert.closeTo(betaDistribution(0.5, x), (2 / Math.PI) * Math.asin(Math.sqrt(x)), 1e-9)
    }
  })

  it.each([0.1, 0.2, 0.4, 0.5, 1, 1.5, 4, 20])("beta(%d) has the distribution Beta(α, α)", (alpha) => {
    const ends = deciles(alpha)
    const random = draws(3, "beta", Math.round(10 * alpha))
    const values = Array.from({ length: 20_000 }, () => beta(alpha, random))
    assert.isTrue(values.every((value) => value >= 0 && value <= 1))
    assertUniform(
      countOf(
        values.map((value) => ends.filter((end) => value > end).length),
        10
      )
    )
  })

  it("beta stays a coin's toss for the smallest α, where powers underflow", () => {
    for (const alpha of [1e-4, Number.MIN_VALUE]) {
      const random = draws(4, "beta")
      const values = Array.from({ length: 4000 }, () => beta(alpha, random))
      assert.isTrue(values.every((value) => value >= 0 && value <= 1))
      assert.isAtLeast(values.filter((value) => value < 1e-6 || value > 1 - 1e-6).length, 3950)
      assertUniform(countOf(values.map(Math.round), 2))
    }
  })

  it("CutMix puts the centre of its box anywhere equally often", () => {
    // Only boxes that are not cut show their centre: of a wide image, those within.
    const random = draws(5, "boxes")
    const centres = new Array<number>(20).fill(0)
    for (let i = 0; i < 20_000; i++) {
      const mixing = drawCutMix(1, random, 100, 100)
      if (mixing._tag !== "CutMix" || mixing.bottom - mixing.top === 0) continue
      const { left, right } = mixing
      if (left > 0 && right < 100 && right - left <= 20 && right + left >= 40 && right + left < 160) {
        centres[Math.floor(((right + left) / 2 - 20) / 3)]++
      }
    }
    assertUniform(centres)
  })

  it("Mixup's λ is drawn from Beta(α, α)", () => {
    const random = draws(6, "mixup")
    const values = Array.from({ length: 5000 }, () => drawMixup(1, random).lambda)
    assertUniform(
      countOf(
        values.map((value) => Math.floor(20 * value)),
        20
      )
    )
  })

  it.effect("batches, their order, partners and ways of mixing are drawn evenly", () =>
    Effect.gen(function* () {
      const dataset = datasetOf(8, { height: 4, width: 4 })
      const labels = { ...dataset.train, labels: Uint16Array.from({ length: 8 }, (_, i) => i) }
      const options = {
        batchSize: 4,
        seed: 9,
        pipeline: [{ _tag: "MixupCutMix", mixupAlpha: 1, cutMixAlpha: 1, switchProb: 0.25, p: 0.6 }]
      } as const
      const first = new Array<number>(8).fill(0)
      const partners = new Array<number>(4).fill(0)
      const ways = [0, 0, 0]
      for (let epoch = 0; epoch < 1500; epoch++) {
        const batches = yield* Stream.runCollect(
          epochBatches({ ...dataset, train: labels }, options, { epoch, from: 0 })
        )
        first[batches[0].labelsA[0]]++
        for (const { labelsA, labelsB, lambda } of batches) {
          // Of a box, λ is a number of sixteenths; λ of a Mixup is one with probability zero.
          const way =
            lambda[0] === 1 && labelsA.every((label, i) => label === labelsB[i])
              ? 0
              : (lambda[0] * 16) % 1 === 0
                ? 1
                : 2
          ways[way]++
          if (way === 2) partners[labelsA.indexOf(labelsB[0])]++
        }
      }
      assertUniform(first, "order")
      assertUniform(partners, "partners")
      // One permutation in 24 leaves all as it is: a CutMix without a box then looks like none.
      assert.closeTo(ways[0] / 3000, 0.4, 0.05)
      assert.closeTo(ways[2] / 3000, 0.6 * 0.75, 0.04)
    })
  )
})
