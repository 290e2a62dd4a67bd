import { assert, describe, it } from "@effect/vitest"
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { batchNorm } from "../../src/Model/Layer/BatchNorm.ts"
import { conv } from "../../src/Model/Layer/Convolution.ts"
import { type Context, type Layer, stateless } from "../../src/Model/Layer/Layer.ts"
import { maxPool } from "../../src/Model/Layer/Pooling.ts"
import { sequential } from "../../src/Model/Lowering/Sequential.ts"
import { relu } from "../../src/Ops/Activation.ts"
import { padChannels } from "../../src/Ops/Alignment.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { normals } from "../support/Normals.ts"
import { evaluate } from "../support/OnCpu.ts"

const [IN, OUT] = [5, 11]

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

/** A layer that is known as what it is, but must not be applied by itself. */
const neverAlone = (layer: Layer): Layer => ({
  ...layer,
  apply: () => assert.fail("the normalisation was not folded into the convolution")
})

const size = { height: 6, width: 6 }

const convolution = ({ kernel = 3, stride = 1 } = {}): Layer =>
  conv("c", { in: IN, out: OUT, kernel, stride, size })

const norm = ({ epsilon = 1e-5, trainedScale = true } = {}): Layer =>
  batchNorm("n", OUT, { momentum: 0.1, epsilon, trainedScale })

/** Values of layers as a sequence in evaluation, and of each layer after the other. */
const both = (kernel: number, sequence: ReadonlyArray<Layer>, layers: ReadonlyArray<Layer>) =>
  evaluate({ ...weights(kernel), x: normals(2, "x", [2, 6, 6, IN], 1) }, (values) => {
    const context: Context = { weights: values, mode: { _tag: "Evaluation" }, statistics: {} }
    const x = padChannels(values.x as tf.Tensor4D, IN)
    return {
      actual: sequential(sequence).apply(context, x),
      expected: layers.reduce((value, layer) => layer.apply(context, value), x)
    }
  })

describe("a sequence in evaluation", () => {
  it.effect.each([
    { kernel: 3, stride: 1 },
    { kernel: 3, stride: 2 },
    { kernel: 1, stride: 1 },
    { kernel: 3, stride: 1, epsilon: 0.5 },
    { kernel: 3, stride: 1, between: [maxPool], trainedScale: false }
  ])("folds a normalisation into the convolution before it: %o", ({ between = [], ...options }) =>
    Effect.gen(function* () {
      const layers = [convolution(options), ...between, norm(options)]
      const sequence = [convolution(options), ...between, neverAlone(norm(options))]
      const { actual, expected } = yield* both(options.kernel, sequence, layers)
      assert.deepStrictEqual(actual.shape, expected.shape)
      for (const [i, value] of expected.data.entries())
        assert.closeTo(actual.data[i], value, 2e-6 * Math.max(1, Math.abs(value)), `${i}`)
    })
  )

  it.effect("does so where the two stand in sequences of their own", () =>
    Effect.gen(function* () {
      const sequence = [sequential([convolution()]), sequential([neverAlone(norm()), stateless(relu)])]
      const { actual, expected } = yield* both(3, sequence, [convolution(), norm(), stateless(relu)])
      for (const [i, value] of expected.data.entries())
        assert.closeTo(actual.data[i], value, 2e-6 * Math.max(1, Math.abs(value)), `${i}`)
    })
  )

  it.effect.each([
    { what: "a ReLU between the two", layers: [convolution(), stateless(relu), norm()] },
    {
      what: "a bias",
      layers: [conv("c", { in: IN, out: OUT, kernel: 3, size, bias: (_, x) => x.fill(1) }), norm()]
    },
    { what: "max-pooling before scales that are trained", layers: [convolution(), maxPool, norm()] }
  ])("computes each layer by itself with $what", ({ layers }) =>
    Effect.gen(function* () {
      const bias = { "c.bias": normals(3, "bias", [OUT], 1) }
      const { actual, expected } = yield* evaluate(
        { ...weights(3), ...bias, x: normals(2, "x", [2, 6, 6, IN], 1) },
        (values) => {
          const context: Context = { weights: values, mode: { _tag: "Evaluation" }, statistics: {} }
          const x = padChannels(values.x as tf.Tensor4D, IN)
          return {
            actual: sequential(layers).apply(context, x),
            expected: layers.reduce((value, layer) => layer.apply(context, value), x)
          }
        }
      )
      assert.deepStrictEqual(actual.data, expected.data)
    })
  )

  it("has residual blocks that follow each other hand on ones where both can", () => {
    const seen: Array<string> = []
    const block = (name: string, wantsOnes: boolean, givesOnes: boolean): Layer => ({
      ...stateless((x) => x),
      form: {
        _tag: "Residual",
        wantsOnes,
        givesOnes,
        evaluate: (_, x, { from, to }) => {
          seen.push(`${name} ${from} ${to}`)
          return x
        }
      }
    })
    const blocks = [
      block("first", true, true),
      block("second", true, true),
      block("third", false, true),
      stateless((x) => x),
      block("last", true, true)
    ]
    const context: Context = { weights: {}, mode: { _tag: "Evaluation" }, statistics: {} }
    sequential(blocks).apply(context, {} as tf.Tensor4D)
    assert.deepStrictEqual(seen, [
      "first false true",
      "second true false",
      "third false false",
      "last false false"
    ])
  })

  it("owns the tensors of its layers, in their order", () => {
    const layers = [convolution(), norm()]
    assert.deepStrictEqual(
      sequential(layers).tensors,
      layers.flatMap(({ tensors }) => tensors)
    )
  })
})
