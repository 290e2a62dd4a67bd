import { assert, describe, it } from "@effect/vitest"
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { batchNorm } from "../../src/Model/Layer/BatchNorm.ts"
import { conv } from "../../src/Model/Layer/Convolution.ts"
import { type Context, padChannels, sequential, stateless } from "../../src/Model/Layer/Layer.ts"
import { convNorm } from "../../src/Model/Lowering/ConvNorm.ts"
import { maxPool } from "../../src/Ops/Pooling.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { normals } from "../support/Normals.ts"
import { evaluate } from "../support/OnCpu.ts"

const [IN, OUT] = [5, 11]
const pool = [stateless((x) => maxPool(x, [2, 2], 2, "SAME"))]

/** All of them far from where they start; scales are positive. */
const weights = (kernel: number) => ({
  "c.weight": normals(1, "kernel", [kernel, kernel, IN, OUT], 1),
  "n.weight": float32(
    [OUT],
    Float32Array.from({ length: OUT }, (_, i) => 0.2 + 0.1 * i)
  ),
  "n.bias": normals(1, "bias", [OUT], 1),
  "n.running_mean": normals(1, "mean", [OUT], 3),
  "n.running_var": float32(
    [OUT],
    Float32Array.from({ length: OUT }, (_, i) => 0.001 + i)
  )
})

describe("a convolution with the normalisation after it", () => {
  it.effect.each([
    { kernel: 3, stride: 1 as const },
    { kernel: 3, stride: 2 as const },
    { kernel: 1, stride: 1 as const },
    { kernel: 3, stride: 1 as const, between: pool },
    { kernel: 3, stride: 1 as const, epsilon: 0.5 }
  ])("is in evaluation as the two layers: %o", ({ between = [], epsilon = 1e-5, kernel, stride }) =>
    Effect.gen(function* () {
      const options = { in: IN, out: OUT, kernel, stride, size: { height: 6, width: 6 } }
      const normalisation = { momentum: 0.1, epsilon, trainedScale: true }
      const names = { conv: "c", norm: "n" }
      const layer = convNorm(names, { ...options, between, normalisation })
      const layers = sequential([conv("c", options), ...between, batchNorm("n", OUT, normalisation)])
      assert.deepStrictEqual(
        layer.tensors.map(({ name }) => name),
        layers.tensors.map(({ name }) => name)
      )
      const x = normals(2, "x", [2, 6, 6, IN], 1)
      const { actual, expected } = yield* evaluate({ ...weights(kernel), x }, (values) => {
        const context: Context = { weights: values, mode: { _tag: "Evaluation" }, statistics: {} }
        const padded = padChannels(values.x as tf.Tensor4D, IN)
        return { actual: layer.apply(context, padded), expected: layers.apply(context, padded) }
      })
      assert.deepStrictEqual(actual.shape, expected.shape)
      for (const [i, value] of expected.data.entries())
        assert.closeTo(actual.data[i], value, 2e-6 * Math.max(1, Math.abs(value)), `${i}`)
    })
  )
})
