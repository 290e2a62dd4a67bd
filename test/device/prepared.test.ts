import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { float32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { onCpu } from "../support/OnCpu.ts"

const vector = (...values: ReadonlyArray<number>) => float32([values.length], Float32Array.from(values))

const X = { x: { dtype: "float32", shape: [2] } } as const
const ONE = { x: vector(1, 1) }

/** y = x · √(weights + 1): the root is of the state alone. */
const rooted = (prepared: boolean) =>
  entryPoint({
    inputs: X,
    prepared,
    run: ({ weights }, { x }) => ({ output: { y: tf.mul(x, tf.sqrt(tf.add(weights, 1))) } })
  })

const compile = (state: TensorRecord) =>
  Effect.flatMap(Device, (device) =>
    device.compile(state, {
      prepared: rooted(true),
      plain: rooted(false),
      add: entryPoint({
        inputs: X,
        run: ({ weights }, { x }) => ({ state: { weights: tf.add(weights, x) }, output: {} })
      }),
      fail: entryPoint({
        inputs: { ...X, index: { dtype: "int32", shape: [2, 1] } },
        run: ({ weights }, { index, x }) => ({
          state: { weights: tf.mul(weights, 0) },
          output: { y: tf.scatterND(index as tf.Tensor2D, x, [3]) }
        })
      })
    })
  )

describe("what a prepared entry point computes from the state alone", () => {
  it.effect("is of the state as it is, whatever changed it", () =>
    Effect.gen(function* () {
      const program = yield* compile({ weights: vector(3, 8) })
      const values = Effect.map(program.run("prepared", ONE), ({ y }) => [...y.data])
      assert.deepStrictEqual(yield* values, [2, 3])
      assert.deepStrictEqual(yield* values, [2, 3])
      yield* program.write({ weights: vector(15, 24) })
      assert.deepStrictEqual(yield* values, [4, 5])
      yield* program.run("add", { x: vector(20, 24) })
      assert.deepStrictEqual(yield* values, [6, 7])
    }).pipe(onCpu)
  )

  it.effect("is computed when the state has changed, not in each run", () =>
    Effect.gen(function* () {
      const program = yield* compile({ weights: vector(3, 8) })
      const roots = (name: "prepared" | "plain") =>
        Effect.map(program.profile(name, ONE), (events) => events.filter(({ op }) => op === "Sqrt").length)
      yield* program.run("prepared", ONE)
      assert.strictEqual(yield* roots("prepared"), 0)
      assert.strictEqual(yield* roots("plain"), 1)
    }).pipe(onCpu)
  )

  it.effect("is computed anew where what changed the state failed", () =>
    Effect.gen(function* () {
      const program = yield* compile({ weights: vector(3, 8) })
      yield* program.run("prepared", ONE)
      const outOfRange = { dtype: "int32", shape: [2, 1], data: Int32Array.of(9, 9) } as const
      yield* Effect.flip(program.run("fail", { x: vector(1, 1), index: outOfRange }))
      const { y } = yield* program.run("prepared", ONE)
      assert.deepStrictEqual(y, (yield* program.run("plain", ONE)).y)
    }).pipe(onCpu)
  )

  it.effect("is what the same entry point gives without", () =>
    Effect.gen(function* () {
      const program = yield* compile({ weights: vector(0.1, 0.7) })
      const x = { x: vector(-0.3, 1.9) }
      assert.deepStrictEqual(yield* program.run("prepared", x), yield* program.run("plain", x))
    }).pipe(onCpu)
  )
})
