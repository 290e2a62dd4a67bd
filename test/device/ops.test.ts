import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { gelu } from "../../src/Ops/Activation.ts"
import { conv2d } from "../../src/Ops/Convolution.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import { layerNorm } from "../../src/Ops/LayerNorm.ts"
import { maxPool } from "../../src/Ops/Pooling.ts"
import type { TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { normals } from "../support/Normals.ts"
import { evaluate, onCpu } from "../support/OnCpu.ts"

type Inputs = Readonly<Record<string, tf.Tensor>>

const random = (seed: number, shape: ReadonlyArray<number>) => normals(seed, "ops", shape)

/** `f` and its gradients, against differences of a double-precision reference. */
const agrees = (
  input: TensorRecord,
  f: (x: Inputs) => tf.Tensor,
  reference: (x: Readonly<Record<string, ReadonlyArray<number>>>) => ReadonlyArray<number>
) =>
  Effect.gen(function* () {
    const names = Object.keys(input)
    const host = Object.fromEntries(names.map((name) => [name, Array.from(input[name].data)]))
    const expected = reference(host)
    const dy = random(9, [expected.length])
    const result: TensorRecord = yield* evaluate({ ...input, dy }, (x) => {
      const { auxiliary, gradients } = valueAndGradients(
        () => {
          const value = tf.reshape(f(x), [-1])
          return { loss: tf.sum(tf.mul(value, x.dy)), auxiliary: { value } }
        },
        Object.fromEntries(names.map((name) => [name, x[name]]))
      )
      return { value: auxiliary.value, ...gradients }
    })
    for (const [i, value] of expected.entries()) assert.closeTo(result.value.data[i], value, 1e-5)
    const loss = (values: Readonly<Record<string, ReadonlyArray<number>>>): number =>
      reference(values).reduce((sum, value, i) => sum + value * dy.data[i], 0)
    const step = 1e-4
    for (const name of names)
      for (const i of host[name].keys()) {
        const moved = (by: number) =>
          loss({ ...host, [name]: host[name].map((value, j) => (j === i ? value + by : value)) })
        const difference = (moved(step) - moved(-step)) / (2 * step)
        assert.closeTo(result[name].data[i], difference, 1e-4, `${name}[${i}]`)
      }
  })

/** The error function: its series, summed to double precision for small arguments. */
const erf = (x: number): number => {
  let term = x
  let sum = x
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

describe("values and gradients equal a reference's and its differences", () => {
  it.effect("gelu", () =>
    agrees(
      { x: random(1, [4, 7]) },
      ({ x }) => gelu(x),
      ({ x }) => x.map((value) => (value * (1 + erf(value / Math.SQRT2))) / 2)
    )
  )

  it.effect.each([
    {
      window: [2, 2],
      stride: 2,
      padding: "VALID",
      rows: [[0, 1]],
      columns: [
        [0, 1],
        [2, 3]
      ]
    },
    {
      window: [2, 2],
      stride: 2,
      padding: "SAME",
      rows: [[0, 1], [2]],
      columns: [
        [0, 1],
        [2, 3]
      ]
    },
    { window: [3, 4], stride: 1, padding: "VALID", rows: [[0, 1, 2]], columns: [[0, 1, 2, 3]] }
  ] as const)("maxPool $window, stride $stride, $padding", ({ columns, padding, rows, stride, window }) =>
    agrees(
      { x: random(5, [2, 3, 4, 2]) },
      ({ x }) => maxPool(x as tf.Tensor4D, window, stride, padding),
      ({ x }) =>
        [0, 1].flatMap((image) =>
          rows.flatMap((ys) =>
            columns.flatMap((xs) =>
              [0, 1].map((channel) =>
                Math.max(
                  ...ys.flatMap((row) =>
                    xs.map((column) => x[((image * 3 + row) * 4 + column) * 2 + channel])
                  )
                )
              )
            )
          )
        )
    )
  )

  it.effect("layerNorm", () =>
    agrees(
      { x: random(2, [5, 6]), scale: random(3, [6]), offset: random(4, [6]) },
      ({ offset, scale, x }) => layerNorm(x as tf.Tensor2D, scale, offset, 1e-3),
      ({ offset, scale, x }) =>
        [0, 1, 2, 3, 4].flatMap((row) => {
          const values = x.slice(6 * row, 6 * row + 6)
          const mean = values.reduce((a, b) => a + b, 0) / 6
          const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6
          return values.map(
            (value, i) => ((value - mean) / Math.sqrt(variance + 1e-3)) * scale[i] + offset[i]
          )
        })
    )
  )
})

/** An odd batch and half a vector of channels: oneDNN's own kernel writes beyond its memory and ends the process. */
it.effect("the gradient of a strided 1×1 convolution, again and again", () =>
  Effect.gen(function* () {
    const [images, side, channels] = [3, 32, 8]
    const half = side / 2
    const x = random(6, [images, side, side, channels])
    const dy = random(7, [images, half, half, channels])
    const expected = new Float64Array(channels * channels)
    for (let pixel = 0; pixel < images * half * half; pixel++) {
      const row = Math.floor(pixel / half)
      const from = (2 * row * side + 2 * (pixel % half)) * channels
      for (let i = 0; i < expected.length; i++)
        expected[i] += x.data[from + Math.floor(i / channels)] * dy.data[pixel * channels + (i % channels)]
    }
    const inputs = { x, dy, kernel: random(8, [1, 1, channels, channels]) }
    const program = yield* (yield* Device).compile(
      {},
      {
        gradient: entryPoint({
          inputs,
          run: (_, { dy, kernel, x }) => ({
            output: valueAndGradients(
              () => ({
                loss: tf.sum(tf.mul(conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 2, 0), dy)),
                auxiliary: {}
              }),
              { kernel }
            ).gradients
          })
        })
      }
    )
    for (let i = 0; i < 30; i++) {
      const { kernel } = yield* program.run("gradient", inputs)
      for (const [j, value] of expected.entries()) assert.closeTo(kernel.data[j], value, 1e-4)
    }
  }).pipe(onCpu)
)
