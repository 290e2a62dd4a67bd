import { createRequire } from "node:module"
import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { scalar } from "../../src/Tensor/HostTensor.ts"
import { evaluate } from "../support/OnCpu.ts"

it.effect("an application has the whole of tfjs beside a program that loaded what it needs of it", () =>
  Effect.gen(function* () {
    const { y } = yield* evaluate({ x: scalar(3) }, ({ x }) => ({ y: tf.square(x) }))
    assert.strictEqual(y.data[0], 9)
    const kernels = createRequire(import.meta.resolve("@tensorflow/tfjs-node-gpu/package.json"))
    const whole = kernels("@tensorflow/tfjs")
    assert.strictEqual(whole.tensor, tf.tensor)
    assert.isFunction(whole.sequential)
    assert.isFunction(whole.loadGraphModel)
    assert.isFunction(whole.data.array)
    const again = yield* evaluate({ x: scalar(3) }, ({ x }) => ({ y: tf.grad((x) => tf.square(x))(x) }))
    assert.strictEqual(again.y.data[0], 6)
  })
)
