import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { decodeAttribute } from "../../src/Device/Graph/GraphDef.ts"
import { Device, type Freezable } from "../../src/Device.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { onCpu } from "../support/OnCpu.ts"

const freeze = (program: Freezable) => onCpu(Effect.flatMap(Device, (device) => device.freeze(program)))

const inputs = (batch: number) => ({ x: { dtype: "float32", shape: [batch, 2, 3] } }) as const

it.effect("a frozen graph has weights as constants, and −1 for the number of images", () =>
  Effect.gen(function* () {
    const w = float32([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6))
    const {
      graph,
      inputs: taken,
      outputs
    } = yield* freeze({
      weights: { w },
      inputs,
      run: ({ w }, { x }) => ({ y: tf.reshape(tf.matMul(tf.reshape(x, [-1, 3]), w as tf.Tensor2D), [-1, 4]) })
    })
    assert.deepStrictEqual(taken, [{ name: "x", dtype: "float32", shape: [-1, 2, 3] }])
    assert.deepStrictEqual(outputs, [{ name: "y", dtype: "float32", shape: [-1, 4] }])
    const values = graph.nodes.flatMap(({ attributes, op }) =>
      op === "Const" ? [decodeAttribute(attributes.value)] : []
    )
    const data = values.map((value) => (value.kind === "tensor" ? Array.from(value.value.data) : []))
    assert.deepInclude(data, [1, 2, 3, 4, 5, 6])
    assert.deepInclude(data, [-1, 3])
    assert.deepInclude(data, [-1, 4])
    assert.isUndefined(graph.nodes.find(({ op }) => op === "VarHandleOp"))
  })
)

it.effect("a program whose arithmetic depends on the number of images cannot be frozen", () =>
  Effect.gen(function* () {
    const program = {
      weights: {},
      inputs,
      run: (_: unknown, { x }: Readonly<Record<string, tf.Tensor>>) => ({ y: tf.mul(x, x.shape[0]) })
    }
    const error = yield* Effect.flip(freeze(program))
    assert.match(error.message, /the operation Const \(.*\) depends on the number of images/)
  })
)

it.effect("what a program computes from the weights alone is a constant of a frozen graph", () =>
  Effect.gen(function* () {
    const { graph } = yield* freeze({
      weights: { w: float32([3], Float32Array.of(4, 9, 16)) },
      inputs,
      run: ({ w }, { x }) => ({ y: tf.mul(x, tf.sqrt(w)) })
    })
    assert.deepStrictEqual(graph.nodes.map(({ op }) => op).sort(), [
      "Const",
      "Identity",
      "Mul",
      "Placeholder"
    ])
    const root = graph.nodes.find(({ op }) => op === "Const")!
    const value = decodeAttribute(root.attributes.value)
    assert.deepStrictEqual(value.kind === "tensor" && Array.from(value.value.data), [2, 3, 4])
  })
)
