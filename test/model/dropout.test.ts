import { assert, it } from "@effect/vitest"
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { dropout } from "../../src/Model/Layer/Dropout.ts"
import type { Mode } from "../../src/Model/Layer/Layer.ts"
import { float32, int32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { evaluate } from "../support/OnCpu.ts"

const count = 40_000
const input = float32([4, 10, 10, 100], new Float32Array(count).fill(2))

const run = (name: string, step: number | undefined) =>
  Effect.map(
    evaluate({ x: input, step: int32([], Int32Array.of(step ?? 0)) } satisfies TensorRecord, (values) => {
      const key = { seed: 3, step: values.step as tf.Scalar }
      const mode: Mode = step === undefined ? { _tag: "Evaluation" } : { _tag: "Training", key }
      const context = { weights: {}, statistics: {}, mode }
      return { out: dropout(name, 0.3).apply(context, values.x as tf.Tensor4D) }
    }),
    ({ out }) => Array.from(out.data)
  )

it.effect("drops its share of the values in training and makes up for them, anew at each step", () =>
  Effect.gen(function* () {
    const [first, again, later, elsewhere] = yield* Effect.all([
      run("a", 0),
      run("a", 0),
      run("a", 1),
      run("b", 0)
    ])
    const dropped = first.filter((value) => value === 0).length
    assert.closeTo(dropped / count, 0.3, 0.01)
    assert.isTrue(first.every((value) => value === 0 || Math.abs(value - 2 / 0.7) < 1e-6))
    assert.deepStrictEqual(again, first)
    assert.notDeepEqual(later, first)
    assert.notDeepEqual(elsewhere, first)
    assert.deepStrictEqual(yield* run("a", undefined), Array.from(input.data))
  })
)
