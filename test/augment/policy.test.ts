import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { cifar10, imagenet, svhn } from "../../src/Augment/Policy/AutoAugment.ts"
import {
  autoAugmentTable,
  type MagnitudeTable,
  randAugmentTable,
  trivialAugmentWideTable
} from "../../src/Augment/Policy/Magnitude.ts"
import { policyFor } from "../../src/Augment/Policy/Policy.ts"

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"))
const golden = read("../fixtures/policies.json")
const torchvision = read("./fixtures/operations.json")
const SIZE = { height: 32, width: 32 }

/** A table as the fixtures have it: magnitudes and whether they have a sign, by operation. */
const plain = (table: MagnitudeTable) =>
  Object.fromEntries([...table].map(([operation, { signed, values }]) => [operation, [values, signed]]))

describe("AutoAugment", () => {
  it("has the published policies", () => {
    assert.deepStrictEqual(cifar10, golden.autoaugment_cifar10)
    assert.deepStrictEqual({ cifar10, imagenet, svhn }, torchvision.policies)
  })

  it("has torchvision's magnitudes, to the last bit", () => {
    for (const size of ["32x32", "40x64", "331x224"]) {
      const [height, width] = size.split("x").map(Number)
      const { Identity, SolarizeAdd: _, ...table } = plain(autoAugmentTable({ height, width }))
      assert.deepStrictEqual(table, torchvision.magnitudes.AutoAugment[size])
      assert.deepStrictEqual(
        [Identity, autoAugmentTable({ height, width }).get("SolarizeAdd")?.values[9]],
        [[[0], false], 110]
      )
    }
    const expected: Record<string, unknown> = {}
    for (const [operation, values] of Object.entries(golden.magnitude_table)) {
      expected[operation] = [values ?? [0], golden.signed[operation]]
    }
    const { Identity: _, SolarizeAdd: __, ...table } = plain(autoAugmentTable(SIZE))
    assert.deepStrictEqual(table, expected)
  })

  it("takes levels for magnitudes", () => {
    const [first] = policyFor(
      [
        [
          ["Rotate", 0.5, 9],
          ["Invert", 0.25, null]
        ]
      ],
      SIZE
    )
    assert.deepStrictEqual(first, [
      { operation: "Rotate", probability: 0.5, magnitude: 30, signed: true },
      { operation: "Invert", probability: 0.25, magnitude: 0, signed: false }
    ])
  })
})

describe("RandAugment and TrivialAugmentWide", () => {
  it("have torchvision's operations and magnitudes, in its order, for every number of bins", () => {
    for (const bins of [2, 9, 10, 11, 13, 31]) {
      const table = randAugmentTable({ height: 32, width: 48 }, bins)
      assert.deepStrictEqual(plain(table), torchvision.magnitudes.RandAugment[bins])
      assert.deepStrictEqual([...table.keys()], Object.keys(torchvision.magnitudes.RandAugment[bins]))
      const wide = trivialAugmentWideTable(bins)
      assert.deepStrictEqual(plain(wide), torchvision.magnitudes.TrivialAugmentWide[bins])
      assert.deepStrictEqual([...wide.keys()], Object.keys(torchvision.magnitudes.TrivialAugmentWide[bins]))
    }
    const expected = golden.randaugment.magnitude_table
    for (const [operation, { values }] of randAugmentTable(SIZE, 31)) {
      assert.deepStrictEqual(values, expected[operation] ?? [0])
    }
  })
})

describe("Fast AutoAugment", () => {
  it("has 493 sub-policies of two operations, with magnitudes in the operations' ranges", () => {
    const policy = policyFor("fast-cifar10", SIZE)
    const ranges: Record<string, readonly [low: number, high: number]> = {
      ShearX: [-0.3, 0.3],
      ShearY: [-0.3, 0.3],
      TranslateX: [-14, 14],
      TranslateY: [-14, 14],
      Rotate: [-30, 30],
      Brightness: [-0.9, 0.9],
      Color: [-0.9, 0.9],
      Contrast: [-0.9, 0.9],
      Sharpness: [-0.9, 0.9],
      Posterize: [4, 8],
      Solarize: [0, 256],
      Cutout: [0, 6.4],
      AutoContrast: [0, 0],
      Equalize: [0, 0],
      Invert: [0, 0]
    }
    assert.strictEqual(policy.length, 493)
    const seen = new Set<string>()
    for (const { magnitude, operation, probability, signed } of policy.flat()) {
      const [low, high] = ranges[operation]
      assert.isTrue(magnitude >= low && magnitude <= high, `${operation} ${magnitude}`)
      assert.isTrue(probability >= 0 && probability <= 1)
      assert.strictEqual(signed, /Shear|Translate|Rotate/.test(operation))
      seen.add(operation)
    }
    assert.deepStrictEqual([...seen].sort(), Object.keys(ranges).sort())
    assert.isTrue(policy.every((operations) => operations.length === 2))
  })

  it("turns levels into magnitudes as its authors do", () => {
    const [[contrast, translate]] = policyFor("fast-cifar10", SIZE)
    assert.deepInclude(contrast, { operation: "Contrast", probability: 0.8320659688593578, signed: false })
    // The factor is 0.1 + 1.8 · level.
    assert.closeTo(1 + contrast.magnitude, 0.1 + 1.8 * 0.49884310562180767, 1e-12)
    // Of 32 pixels, −0.45 + 0.9 · level = −0.095… is nearest to three.
    assert.deepInclude(translate, { operation: "TranslateX", magnitude: -3, signed: true })
  })
})
