import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { basic, bottleneck, EXPANSION } from "../../src/Model/Block/PyramidNetBlock.ts"
import { places } from "../../src/Model/Block/Stages.ts"
import { batchNorm } from "../../src/Model/Layer/BatchNorm.ts"
import { conv } from "../../src/Model/Layer/Convolution.ts"
import {
  aligned,
  initialise,
  type Layer,
  padChannels,
  sequential,
  stateless
} from "../../src/Model/Layer/Layer.ts"
import { relu } from "../../src/Ops/Activation.ts"
import { draws } from "../../src/Random.ts"
import { float32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { normals } from "../support/Normals.ts"
import { evaluate } from "../support/OnCpu.ts"

const size = { height: 6, width: 5 }
const [first, half] = places([1, 1], size)
const FACTOR = 0.75

/** Weights and statistics of which none is as it starts. */
const trained = (layer: Pick<Layer, "tensors">): TensorRecord => {
  const random = draws(1, "trained")
  return Object.fromEntries(
    Object.entries(initialise(layer.tensors, 1)).map(([name, value]) => [
      name,
      float32(
        value.shape,
        Float32Array.from(value.data, (v) =>
          name.endsWith("running_var")
            ? 0.5 + random.uniform()
            : v + (name.includes("conv") ? 0.03 : 0.3) * random.normal()
        )
      )
    ])
  )
}

/** The first `channels` channels of a map with more, pixel by pixel. */
const own = (data: ArrayLike<number>, mapped: number, channels: number): Array<number> =>
  Array.from(data).filter((_, i) => i % mapped < channels)

const closeTo = (actual: ReadonlyArray<number>, expected: ReadonlyArray<number>) => {
  assert.lengthOf(actual, expected.length)
  for (const [i, value] of expected.entries()) assert.closeTo(actual[i], value, 2e-5, `${i}`)
}

const images = (channels: number) => normals(2, "images", [2, size.height, size.width, channels], 1)

const EVALUATION = { _tag: "Evaluation" } as const

describe("branches of PyramidNets, evaluated in convolutions, are as layer by layer", () => {
  it.effect.each([
    { inputs: 16, width: 19 },
    { inputs: 19, width: 23 },
    { inputs: 23, width: 24 },
    { inputs: 22, width: 33 },
    { inputs: 24, width: 32 },
    { inputs: 19, width: 21, place: half }
  ])("basic, from $inputs to $width channels", ({ inputs, place = first, width }) =>
    Effect.gen(function* () {
      const branch = basic("b", { in: inputs, width, place })
      const { size, stride } = place
      const layers = sequential([
        batchNorm("b.bn1", inputs),
        conv("b.conv1", { in: inputs, out: width, kernel: 3, stride, size }),
        batchNorm("b.bn2", width),
        stateless(relu),
        conv("b.conv2", { in: width, out: width, kernel: 3, size }),
        batchNorm("b.bn3", width)
      ])
      const weights = trained(branch)
      const results = yield* evaluate({ ...weights, x: images(inputs) }, (values) => {
        const context = { weights: values, mode: EVALUATION, statistics: {} }
        const x = padChannels(values.x as tf.Tensor4D, inputs)
        const ones = new Float32Array(aligned(inputs))
        if (inputs < aligned(inputs)) ones[aligned(inputs) - 1] = 1
        const withOnes = tf.add<tf.Tensor4D>(x, tf.tensor1d(ones))
        const shortcut = padChannels(stride === 1 ? withOnes : tf.avgPool(withOnes, 2, 2, "same"), width)
        const plain = padChannels(stride === 1 ? x : tf.avgPool(x, 2, 2, "same"), width)
        return {
          sum: tf.add(branch.evaluate(context, withOnes, FACTOR), shortcut),
          expected: tf.add(tf.mul(layers.apply(context, x), FACTOR), plain)
        }
      })
      const mapped = aligned(width)
      closeTo(own(results.sum.data, mapped, width), own(results.expected.data, mapped, width))
      // Of the others the last is the one of ones.
      for (const [i, value] of results.sum.data.entries())
        if (i % mapped >= width) assert.closeTo(value, i % mapped === mapped - 1 ? 1 : 0, 1e-6)
    })
  )

  it.effect.each([{ place: first }, { place: half }])("bottleneck, stride $place.stride", ({ place }) =>
    Effect.gen(function* () {
      const [inputs, width] = [20, 11]
      const branch = bottleneck("b", { in: inputs, width, place })
      const { inputSize, size, stride } = place
      const layers = sequential([
        batchNorm("b.bn1", inputs),
        conv("b.conv1", { in: inputs, out: width, kernel: 1, size: inputSize }),
        batchNorm("b.bn2", width),
        stateless(relu),
        conv("b.conv2", { in: width, out: width, kernel: 3, stride, size }),
        batchNorm("b.bn3", width),
        stateless(relu),
        conv("b.conv3", { in: width, out: EXPANSION * width, kernel: 1, size }),
        batchNorm("b.bn4", EXPANSION * width)
      ])
      const results = yield* evaluate({ ...trained(branch), x: images(inputs) }, (values) => {
        const context = { weights: values, mode: EVALUATION, statistics: {} }
        const x = padChannels(values.x as tf.Tensor4D, inputs)
        return {
          actual: branch.evaluate(context, x, FACTOR),
          expected: tf.mul(layers.apply(context, x), FACTOR)
        }
      })
      closeTo(Array.from(results.actual.data), Array.from(results.expected.data))
    })
  )
})
