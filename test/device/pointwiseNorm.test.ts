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
