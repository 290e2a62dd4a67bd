import { assert, describe, it } from "@effect/vitest"
import { symmetricEigen } from "../../src/Model/Weights/Eigen.ts"
import { airbench, whiteningFilters } from "../../src/Model.ts"
import { draws } from "../../src/Random.ts"
import { float32, type HostTensor } from "../../src/Tensor/HostTensor.ts"
import { channelsLast, distance, readTensors, under } from "../support/Fixtures.ts"

describe("eigenvectors of a symmetric matrix", () => {
  const random = draws(1, "matrix")
  const n = 12
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = random.normal()
  const { values, vectors } = symmetricEigen(matrix, n)

  it("are turned into multiples of themselves, the largest first", () => {
    for (const [k, vector] of vectors.entries()) {
      if (k > 0) assert.isBelow(values[k], values[k - 1])
      for (let i = 0; i < n; i++) {
        const product = vector.reduce((sum, value, j) => sum + matrix[i * n + j] * value, 0)
        assert.closeTo(product, values[k] * vector[i], 1e-12)
      }
    }
  })

  it("are orthonormal", () => {
    for (const [k, a] of vectors.entries())
      for (const [l, b] of vectors.entries()) {
        const product = a.reduce((sum, value, i) => sum + value * b[i], 0)
        assert.closeTo(product, k === l ? 1 : 0, 1e-12)
      }
  })

  it("of a diagonal matrix are the axes", () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(1, 0, 0, 3), 2)
    assert.deepStrictEqual([...values], [3, 1])
    assert.deepStrictEqual(
      vectors.map((vector) => [...vector]),
      [
        [0, 1],
        [1, 0]
      ]
    )
  })
})

describe("whitening filters", () => {
  const fixture = readTensors("whitening.safetensors")
  const images = channelsLast(fixture.images_nchw)
  const kernel = whiteningFilters(images)

  /** Filter `index` as [2,2,3]. */
  const filter = (x: HostTensor, index: number): Float32Array =>
    Float32Array.from({ length: 12 }, (_, i) => x.data[(i * x.data.length) / 12 + index])

  it("are PyTorch's but for the sign, and each of them negated", () => {
    assert.deepStrictEqual(kernel.shape, [2, 2, 3, 24])
    const expected = under({ filters: fixture.filters }, "").filters
    for (let k = 0; k < 12; k++) {
      const [actual, negated, reference] = [
        filter(kernel, k),
        filter(kernel, 12 + k),
        filter(expected, k)
      ].map((data) => float32([12], data))
      const opposite = float32(
        [12],
        reference.data.map((value) => -value)
      )
      const off = Math.min(distance(actual, reference), distance(actual, opposite))
      assert.isBelow(off / Math.max(...reference.data.map(Math.abs)), 1e-4, `filter ${k}`)
      assert.deepStrictEqual(
        negated.data,
        actual.data.map((value) => -value)
      )
    }
  })

  it("make patches uncorrelated and of equal variance", () => {
    const [n, height, width] = images.shape
    const sums = new Float64Array(144)
    const response = new Float64Array(12)
    for (let image = 0; image < n; image++)
      for (let y = 0; y + 1 < height; y++)
        for (let x = 0; x + 1 < width; x++) {
          response.fill(0)
          for (let i = 0; i < 12; i++) {
            const [dy, dx, c] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3]
            const value = images.data[((image * height + y + dy) * width + x + dx) * 3 + c]
            for (let k = 0; k < 12; k++) response[k] += value * kernel.data[i * 24 + k]
          }
          for (let k = 0; k < 12; k++)
            for (let l = 0; l < 12; l++) sums[k * 12 + l] += response[k] * response[l]
        }
    const patches = n * (height - 1) * (width - 1)
    for (let k = 0; k < 12; k++)
      for (let l = 0; l < 12; l++) assert.closeTo(sums[k * 12 + l] / patches, k === l ? 1 : 0, 0.06)
  })

  it("replace the start of a network's first layer, which is not trained", () => {
    const network = airbench({
      ...{ widths: [8, 8, 8], convolutions: 2, logitScale: 1 / 9, classes: 10 },
      size: { height: 16, width: 16 }
    })
    assert.deepStrictEqual(network.dataInit?.values(images), { "whiten.weight": kernel })
    const { role, shape } = network.tensors.find(({ name }) => name === "whiten.weight")!
    assert.strictEqual(role, "constant")
    assert.deepStrictEqual(shape, kernel.shape)
  })
})

describe("airbench", () => {
  it("starts its convolutions with the input's channels passed on", () => {
    const size = { height: 32, width: 32 }
    const network = airbench({ widths: [32, 16, 16], convolutions: 2, logitScale: 1 / 9, classes: 10, size })
    const weights = network.init(1)
    for (const [name, inputs, out] of [
      ["layers.1.conv1.weight", 24, 32],
      ["layers.2.conv1.weight", 32, 16]
    ] as const) {
      const { data, shape } = weights[name]
      assert.deepStrictEqual(shape, [3, 3, inputs, out])
      const bound = 1 / (3 * Math.sqrt(inputs))
      for (let tap = 0; tap < 9; tap++)
        for (let from = 0; from < inputs; from++)
          for (let to = 0; to < out; to++) {
            const value = data[(tap * inputs + from) * out + to]
            if (to < inputs) assert.strictEqual(value, tap === 4 && from === to ? 1 : 0)
            else assert.isTrue(Math.abs(value) <= bound && value !== 0)
          }
    }
  })

  it("gives logits of the same size at the start, whatever their scale", () => {
    const size = { height: 32, width: 32 }
    const deviations = [1 / 9, 1 / 256].map((logitScale) => {
      const options = { widths: [8, 8, 256], convolutions: 2, classes: 100, size } as const
      const { data } = airbench({ ...options, logitScale }).init(1)["head.weight"]
      const values = data as Float32Array
      return logitScale * Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
    })
    assert.closeTo(deviations[0], 1 / (9 * Math.sqrt(3 * 256)), 1e-4)
    assert.closeTo(deviations[0], deviations[1], 1e-7)
  })
})
