/** Sums are taken from left to right, whatever TensorFlow would make of them: another order has other last bits. */
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { onCpu } from "../support/OnCpu.ts"

const COUNT = 64

const filled = (value: number) => float32([COUNT], new Float32Array(COUNT).fill(value))

/** Of float32, (2³⁰ − 2³⁰) + 1 is 1, and any other order gives 0. */
const STATE = {
  first: filled(2 ** 15),
  second: filled(-(2 ** 15)),
  third: filled(1),
  factor: filled(2 ** 15)
}

const fromLeft = (sum: (terms: Array<tf.Tensor>) => tf.Tensor) =>
  onCpu(
    Effect.gen(function* () {
      const device = yield* Device
      const work = entryPoint({
        inputs: {},
        run: (state: Readonly<Record<keyof typeof STATE, tf.Tensor>>) => {
          const [first, second] = [tf.mul(state.first, state.factor), tf.mul(state.second, state.factor)]
          // Of the three only the last one's memory is free for the sum.
          const total = sum([first, second, tf.sqrt(state.third)])
          return { state: {}, output: { first, second, total: tf.square(total) } }
        }
      })
      const program = yield* device.compile(STATE, { work })
      const { total } = yield* program.run("work", {})
      assert.deepStrictEqual(Array.from(total.data), new Array<number>(COUNT).fill(1))
    })
  )

describe("sums are taken from left to right", () => {
  it.effect("addN", () => fromLeft((terms) => tf.addN(terms)))

  it.effect("add", () => fromLeft((terms) => terms.reduce((sum, term) => tf.add(sum, term))))
})
