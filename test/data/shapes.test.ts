import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { shapes } from "../../src/Data/Shapes.ts"

/**
 * Accuracy on the test images of ridge regression to one-hot labels: a linear classifier on pixels. Images are
 * averaged over squares of 2×2 to keep the system of equations small (769 unknowns).
 */
const linearAccuracy = (set: ReturnType<typeof shapes>, ridge: number): number => {
  const side = 16
  const unknowns = side * side * 3 + 1
  const features = ({ images }: (typeof set)["train"]): Array<Float64Array> =>
    Array.from({ length: images.count }, (_, i) => {
      const row = new Float64Array(unknowns).fill(-0.5)
      row[unknowns - 1] = 1
      for (let y = 0; y < 32; y++)
        for (let x = 0; x < 32; x++)
          for (let c = 0; c < 3; c++)
            row[((y >> 1) * side + (x >> 1)) * 3 + c] += images.pixels[i * 3072 + (y * 32 + x) * 3 + c] / 1020
      return row
    })
  const classes = set.classes.length
  // The normal equations with the right-hand sides beside them, solved by elimination.
  const width = unknowns + classes
  const system = Array.from({ length: unknowns }, () => new Float64Array(width))
  features(set.train).forEach((row, i) => {
    for (let a = 0; a < unknowns; a++) {
      const value = row[a]
      const equation = system[a]
      for (let b = a; b < unknowns; b++) equation[b] += value * row[b]
      equation[unknowns + set.train.labels[i]] += value
    }
  })
  for (let a = 0; a < unknowns; a++) {
    for (let b = 0; b < a; b++) system[a][b] = system[b][a]
    system[a][a] += ridge
  }
  for (let a = 0; a < unknowns; a++)
    for (let b = a + 1; b < unknowns; b++) {
      const factor = system[b][a] / system[a][a]
      for (let c = a; c < width; c++) system[b][c] -= factor * system[a][c]
    }
  for (let a = unknowns - 1; a >= 0; a--)
    for (let k = unknowns; k < width; k++) {
      for (let b = a + 1; b < unknowns; b++) system[a][k] -= system[a][b] * system[b][k]
      system[a][k] /= system[a][a]
    }
  const right = features(set.test).filter((row, i) => {
    const scores = Array.from({ length: classes }, (_, k) =>
      row.reduce((sum, value, a) => sum + value * system[a][unknowns + k], 0)
    )
    return scores.indexOf(Math.max(...scores)) === set.test.labels[i]
  })
  return right.length / set.test.labels.length
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

describe("shapes", () => {
  it("is the same everywhere, and its beginning does not depend on its length", () => {
    const long = shapes({ train: 60, test: 30 })
    const short = shapes({ train: 20, test: 10 })
    assert.deepStrictEqual(short.train.images.pixels, long.train.images.pixels.slice(0, 20 * 3072))
    assert.strictEqual(
      sha256(long.train.images.pixels),
      "52ac0cdba35acf8abb6ba4c84acf05632681c1597da69a2dcb4a6fe604c186d7"
    )
    assert.strictEqual(
      sha256(long.test.images.pixels),
      "cacdf0c9617aafe6cfa74464f595f73c8724874d425b3b71f58feea3cf2a404b"
    )
  })

  it("draws other images for another seed and for the test split", () => {
    const { train, test } = shapes({ train: 10, test: 10 })
    const other = shapes({ train: 10, test: 10, seed: 1 })
    assert.notDeepEqual(train.images.pixels, test.images.pixels)
    assert.notDeepEqual(train.images.pixels, other.train.images.pixels)
    assert.notDeepEqual(test.images.pixels, other.test.images.pixels)
  })

  it("has ten classes in equal number, in shared memory", () => {
    const { classes, train, test } = shapes({ train: 200, test: 100 })
    assert.strictEqual(new Set(classes).size, 10)
    for (const [split, count] of [[train, 200] as const, [test, 100] as const]) {
      assert.strictEqual(split.images.count, count)
      assert.strictEqual(split.images.pixels.length, count * 3072)
      assert.instanceOf(split.images.pixels.buffer, SharedArrayBuffer)
      for (let label = 0; label < 10; label++)
        assert.strictEqual(split.labels.filter((value) => value === label).length, count / 10)
    }
  })

  it("cannot be told apart by a linear classifier", () => {
    const accuracy = linearAccuracy(shapes({ train: 2_000, test: 1_000 }), 30)
    assert.isBelow(accuracy, 0.6)
    // The measurement itself works: it learns where a white bar is.
    const easy = shapes({ train: 100, test: 50 })
    for (const { images, labels } of [easy.train, easy.test]) {
      images.pixels.fill(0)
      labels.forEach((label, i) => {
        images.pixels.fill(255, i * 3072 + label * 288, i * 3072 + label * 288 + 288)
      })
    }
    assert.strictEqual(linearAccuracy(easy, 30), 1)
  })
})
