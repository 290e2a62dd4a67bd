import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { basic, bottleneck, EXPANSION } from "../../src/Model/Block/PyramidNetBlock.ts"
import { residual } from "../../src/Model/Block/Residual.ts"
import { expectation, shakeDropAt } from "../../src/Model/Block/ShakeDrop.ts"
import { type Place, places } from "../../src/Model/Block/Stages.ts"
import { zeroPadded } from "../../src/Model/Layer/Channels.ts"
import { type Context, initialise, type Layer, type Ones, stateless } from "../../src/Model/Layer/Layer.ts"
import { sequential } from "../../src/Model/Lowering/Sequential.ts"
import { aligned, padChannels } from "../../src/Ops/Alignment.ts"
import { draws } from "../../src/Random.ts"
import { float32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { normals } from "../support/Normals.ts"
import { evaluate } from "../support/OnCpu.ts"

const size = { height: 6, width: 5 }
const [first, half] = places([1, 1], size)

/** Multiplies the branch of either block with less than one. */
const shakeDrop = { survival: 0.5, ranges: { alpha: [-1, 0.5], beta: [0, 1] }, gate: "sample" } as const
const factorAt = ({ index, total }: Place): number => expectation(shakeDropAt(shakeDrop, index, total))

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

/** A block around a branch, with a shortcut as PyramidNet has it. */
const blockOf = (branch: Layer, inputs: number, out: number, place: Place): Layer => {
  const halved = stateless((x) => tf.avgPool(x, 2, 2, "same"))
  const shortcut = sequential([...(place.stride === 2 ? [halved] : []), zeroPadded(out)])
  return residual("b", { in: inputs, out, place, branch, shortcut, shakeDrop })
}

const evaluation = (block: Layer, context: Context, x: tf.Tensor4D, ones: Ones): tf.Tensor4D => {
  assert.ok(block.form?._tag === "Residual")
  return block.form.evaluate(context, x, ones)
}

/** The value of a block layer by layer. */
const layerByLayer = (branch: Layer, context: Context, x: tf.Tensor4D, out: number, place: Place) => {
  assert.ok(branch.form?._tag === "Sequence")
  const value = branch.form.layers.reduce((value, layer) => layer.apply(context, value), x)
  const shortcut = padChannels(place.stride === 1 ? x : tf.avgPool(x, 2, 2, "same"), out)
  return tf.add(tf.mul(value, factorAt(place)), shortcut)
}

const contextOf = (weights: Readonly<Record<string, tf.Tensor>>): Context => ({
  weights,
  mode: { _tag: "Evaluation" },
  statistics: {}
})

describe("residual blocks of PyramidNets, evaluated in convolutions, are as layer by layer", () => {
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
      const block = blockOf(branch, inputs, width, place)
      assert.ok(block.form?._tag === "Residual")
      // Only a map that is padded has a channel for them.
      const ones = { from: inputs % 8 !== 0, to: width % 8 !== 0 }
      assert.strictEqual(block.form.wantsOnes, ones.from)
      assert.strictEqual(block.form.givesOnes, ones.to)
      const results = yield* evaluate({ ...trained(branch), x: images(inputs) }, (values) => {
        const context = contextOf(values)
        const x = padChannels(values.x as tf.Tensor4D, inputs)
        const change = new Float32Array(aligned(inputs))
        if (ones.from) change[aligned(inputs) - 1] = 1
        const withOnes = tf.add<tf.Tensor4D>(x, tf.tensor1d(change))
        return {
          sum: evaluation(block, context, withOnes, ones),
          without: block.apply(context, x),
          expected: layerByLayer(branch, context, x, width, place)
        }
      })
      const mapped = aligned(width)
      const expected = own(results.expected.data, mapped, width)
      closeTo(own(results.sum.data, mapped, width), expected)
      closeTo(own(results.without.data, mapped, width), expected)
      for (const [i, value] of results.sum.data.entries())
        if (i % mapped >= width) assert.closeTo(value, i % mapped === mapped - 1 ? 1 : 0, 1e-6)
      for (const [i, value] of results.without.data.entries())
        if (i % mapped >= width) assert.strictEqual(value, 0)
    })
  )

  it.effect.each([{ place: first }, { place: half }])("bottleneck, stride $place.stride", ({ place }) =>
    Effect.gen(function* () {
      const [inputs, width] = [20, 11]
      const out = EXPANSION * width
      const branch = bottleneck("b", { in: inputs, width, place })
      const block = blockOf(branch, inputs, out, place)
      assert.isFalse(block.form?._tag === "Residual" && block.form.wantsOnes)
      const results = yield* evaluate({ ...trained(branch), x: images(inputs) }, (values) => {
        const x = padChannels(values.x as tf.Tensor4D, inputs)
        return {
          actual: block.apply(contextOf(values), x),
          expected: layerByLayer(branch, contextOf(values), x, out, place)
        }
      })
      const mapped = aligned(out)
      closeTo(own(results.actual.data, mapped, out), own(results.expected.data, mapped, out))
    })
  )
})
