import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { recorder, withRecorder } from "../../src/Device/Trace/Recorder.ts"
import { batchNormTraining, type NormTensors } from "../../src/Ops/BatchNorm.ts"
import { conv2d } from "../../src/Ops/Convolution.ts"
import { normPointwise } from "../../src/Ops/Fused/NormThenPointwise.ts"
import { pointwiseNorm } from "../../src/Ops/Fused/PointwiseThenNorm.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import { addResidual, isCheap } from "../../src/Ops/Recompute/Rematerialise.ts"
import { float32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { euclidean, norm } from "../support/Fixtures.ts"
import { normals } from "../support/Normals.ts"
import { evaluate } from "../support/OnCpu.ts"

type Inputs = Readonly<Record<string, tf.Tensor>>

const random = (seed: number, shape: ReadonlyArray<number>, mean = 0, deviation = 1) =>
  normals(seed, "pointwise norm", shape, mean, deviation)

const OPTIONS = { momentum: 0.1, epsilon: 1e-5 }
const [WIDE, NARROW] = [24, 8]

const normOf = (channels: number): TensorRecord => ({
  scale: random(1, [channels], 1, 0.4),
  offset: random(2, [channels]),
  mean: random(3, [channels]),
  variance: float32([channels], new Float32Array(channels).fill(2))
})

const tensors = ({ mean, offset, scale, variance }: Inputs): NormTensors => [scale, offset, mean, variance]

/** Both orders, as one operation and as one after the other. */
const orders = {
  "normalisation, convolution": {
    channels: [WIDE, NARROW],
    normalised: WIDE,
    together: (inputs: Inputs, x: tf.Tensor4D) =>
      normPointwise(x, inputs.kernel as tf.Tensor4D, tensors(inputs), OPTIONS),
    apart: (inputs: Inputs, x: tf.Tensor4D) => {
      const result = batchNormTraining(x, ...tensors(inputs), OPTIONS)
      return { ...result, value: conv2d(result.value, inputs.kernel as tf.Tensor4D, 1, 0) }
    }
  },
  "convolution, normalisation": {
    channels: [NARROW, WIDE],
    normalised: WIDE,
    together: (inputs: Inputs, x: tf.Tensor4D) =>
      pointwiseNorm(x, inputs.kernel as tf.Tensor4D, tensors(inputs), OPTIONS),
    apart: (inputs: Inputs, x: tf.Tensor4D) =>
      batchNormTraining(conv2d(x, inputs.kernel as tf.Tensor4D, 1, 0), ...tensors(inputs), OPTIONS)
  }
}

const recordedForBfloat16 = Object.entries(orders).map(([name, order]) => {
  const together = (inputs: Inputs, x: tf.Tensor4D) =>
    withRecorder({ ...recorder(), precision: "bfloat16" }, () => order.together(inputs, x))
  return [`${name}, recorded as for bfloat16`, { ...order, together }] as const
})

const TRAINED = ["x", "kernel", "scale", "offset"]

describe.each([...Object.entries(orders), ...recordedForBfloat16])(
  "%s",
  (_, { apart, channels, normalised, together }) => {
    const [inputs, out] = channels
    const host = (mean: number, side = 6): TensorRecord => ({
      ...normOf(normalised),
      x: random(4, [4, side, side, inputs], mean, 0.7),
      kernel: random(5, [1, 1, inputs, out], 0, 0.3),
      weights: random(6, [4, side, side, out])
    })

    const results = (op: typeof together, host: TensorRecord) =>
      evaluate(host, (values) => {
        const { auxiliary, gradients } = valueAndGradients(
          () => {
            const { mean, value, variance } = op(values, values.x as tf.Tensor4D)
            return {
              loss: tf.sum(tf.mul(tf.square(value), values.weights)),
              auxiliary: { value, mean, variance }
            }
          },
          Object.fromEntries(TRAINED.map((name) => [name, values[name]]))
        )
        return {
          ...Object.fromEntries(Object.entries(auxiliary).map(([name, value]) => [`${name} of it`, value])),
          ...gradients
        } as Inputs
      })

    it.effect.each([
      { mean: 0, side: 6 },
      // Normalised with a mean of several deviations, as the sums of residual blocks may be.
      { mean: 5, side: 6 },
      { mean: 0.5, side: 1 }
    ])("is as one after the other, with a mean of $mean and $side × $side pixels", ({ mean, side }) =>
      Effect.gen(function* () {
        const input = host(mean, side)
        const [ours, expected] = [yield* results(together, input), yield* results(apart, input)]
        assert.sameMembers(Object.keys(ours), Object.keys(expected))
        assert.lengthOf(Object.keys(ours), 7)
        for (const name of Object.keys(expected))
          assert.isBelow(euclidean(ours[name], expected[name]), 1e-4 * norm([expected[name]]), name)
      })
    )

    it.effect("starts from a sum that is computed again for it", () =>
      Effect.gen(function* () {
        const input = {
          ...host(0),
          ...Object.fromEntries(
            Object.entries(normOf(inputs)).map(([name, value]) => [`before.${name}`, value])
          ),
          y: random(7, [4, 6, 6, inputs])
        }
        const ours = (op: typeof together, sum: typeof addResidual) =>
          results((values, x) => {
            const before = Object.fromEntries(
              Object.keys(normOf(inputs)).map((name) => [name, values[`before.${name}`]])
            )
            const residual = batchNormTraining(x, ...tensors(before), OPTIONS)
            return op(values, sum(values.y as tf.Tensor4D, residual.value))
          }, input)
        const kept = yield* ours(apart, (x, y) => tf.add(x, y))
        const again = yield* ours(together, (x, y) => {
          const sum = addResidual(x, y)
          assert.isTrue(isCheap(sum))
          return sum
        })
        for (const name of Object.keys(kept))
          assert.isBelow(euclidean(again[name], kept[name]), 1e-4 * norm([kept[name]]), name)
      })
    )

    it.effect("gives the same bits each time", () =>
      Effect.gen(function* () {
        const input = host(1, 16)
        const first = yield* results(together, input)
        for (let i = 0; i < 3; i++) assert.deepStrictEqual(yield* results(together, input), first)
      })
    )
  }
)

/** Rows of a matrix of pixels in double precision. */
type Rows = ReadonlyArray<ReadonlyArray<number>>

const rowsOf = ({ data }: TensorRecord[string], columns: number): Rows =>
  Array.from({ length: data.length / columns }, (_, i) =>
    Array.from(data.slice(i * columns, (i + 1) * columns))
  )

const transposed = (a: Rows): Rows => a[0].map((_, j) => a.map((row) => row[j]))

const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0)

/** a·b */
const product = (a: Rows, b: Rows): Rows => {
  const columns = transposed(b)
  return a.map((row) => columns.map((column) => dot(row, column)))
}

/** Batch normalisation of each column, and its gradients: Ioffe and Szegedy 2015, section 3. */
const normalisedRows = (x: Rows, scale: ReadonlyArray<number>, offset: ReadonlyArray<number>) => {
  const columns = transposed(x).map((values) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    const inverse = 1 / Math.sqrt(variance + OPTIONS.epsilon)
    return { inverse, normalised: values.map((value) => (value - mean) * inverse) }
  })
  return {
    value: transposed(columns.map(({ normalised }, i) => normalised.map((v) => v * scale[i] + offset[i]))),
    gradients: (dy: Rows) => {
      const of = transposed(dy).map((dy, i) => {
        const { inverse, normalised } = columns[i]
        const dOffset = dy.reduce((a, b) => a + b, 0)
        const dScale = dot(dy, normalised)
        const n = dy.length
        const dx = dy.map(
          (value, j) => scale[i] * inverse * (value - dOffset / n - (normalised[j] * dScale) / n)
        )
        return { dOffset, dScale, dx }
      })
      return {
        x: transposed(of.map(({ dx }) => dx)),
        scale: [of.map(({ dScale }) => dScale)],
        offset: [of.map(({ dOffset }) => dOffset)]
      }
    }
  }
}

describe.each([
  ["normalisation, convolution", true],
  ["convolution, normalisation", false]
] as const)("%s: digits", (name, normFirst) => {
  const order = orders[name]
  const [inputs, out] = order.channels

  it.effect.each([1, 10, 100, 1000])("means of %d deviations, and a channel that is constant", (mean) =>
    Effect.gen(function* () {
      const x = random(4, [4, 6, 6, inputs], mean)
      const kernel = random(5, [1, 1, inputs, out], 0, 0.3)
      for (let i = 0; i < x.data.length; i += inputs) x.data[i] = mean
      if (!normFirst) for (let i = 0; i < kernel.data.length; i += out) kernel.data[i] = i === 0 ? 1 : 0
      const host: TensorRecord = { ...normOf(order.normalised), x, kernel, dy: random(6, [4, 6, 6, out]) }
      const ours = yield* evaluate(host, (values) => {
        const { auxiliary, gradients } = valueAndGradients(
          () => {
            const { value } = order.together(values, values.x as tf.Tensor4D)
            return { loss: tf.sum(tf.mul(value, values.dy)), auxiliary: { value } }
          },
          Object.fromEntries(TRAINED.map((name) => [name, values[name]]))
        )
        return { ...auxiliary, ...gradients } as Inputs
      })
      const [rows, matrix, dy] = [rowsOf(x, inputs), rowsOf(kernel, out), rowsOf(host.dy, out)]
      const [scale, offset] = [Array.from(host.scale.data), Array.from(host.offset.data)]
      const reference = (): Readonly<Record<string, Rows>> => {
        if (normFirst) {
          const norm = normalisedRows(rows, scale, offset)
          return {
            value: product(norm.value, matrix),
            kernel: product(transposed(norm.value), dy),
            ...norm.gradients(product(dy, transposed(matrix)))
          }
        }
        const norm = normalisedRows(product(rows, matrix), scale, offset)
        const { x: dh, ...others } = norm.gradients(dy)
        return {
          value: norm.value,
          kernel: product(transposed(rows), dh),
          x: product(dh, transposed(matrix)),
          ...others
        }
      }
      for (const [name, expected] of Object.entries(reference())) {
        const values = expected.flat()
        const error = Math.sqrt(values.reduce((sum, v, i) => sum + (v - ours[name].data[i]) ** 2, 0))
        assert.isBelow(error, 1e-3 * Math.sqrt(dot(values, values)), name)
      }
    })
  )
})
