import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { SHAKE_RANGES, shake, shakeDrop, survivalAt } from "../../src/Model/Block/ShakeDrop.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import { float32, int32 } from "../../src/Tensor/HostTensor.ts"
import { distance, readTensors } from "../support/Fixtures.ts"
import { evaluate } from "../support/OnCpu.ts"

const fixture = readTensors("shakedrop.safetensors")

it.effect("forward and both gradients equal PyTorch's for given gate, α and β", () =>
  Effect.gen(function* () {
    const { alpha, beta, dy, gate, residual, x } = fixture
    const result = yield* evaluate({ alpha, beta, dy, gate, residual, x }, (input) => {
      const { auxiliary, gradients } = valueAndGradients(
        () => {
          const out = shake(input.x as tf.Tensor4D, input.residual as tf.Tensor4D, {
            gate: input.gate as tf.Tensor1D,
            alpha: input.alpha as tf.Tensor1D,
            beta: input.beta as tf.Tensor1D
          })
          return { loss: tf.sum(tf.mul(out, input.dy)), auxiliary: { out } }
        },
        { x: input.x, residual: input.residual }
      )
      return { out: auxiliary.out, x: gradients.x, residual: gradients.residual }
    })
    assert.isBelow(distance(result.out, fixture.out_train), 1e-6)
    assert.isBelow(distance(result.x, fixture.grad_x), 1e-6)
    assert.isBelow(distance(result.residual, fixture.grad_residual), 1e-6)
  })
)

it.effect("evaluation scales the branch by the survival probability where E[α] is 0", () =>
  Effect.gen(function* () {
    const { residual, x } = fixture
    const options = { ...SHAKE_RANGES.paper, survival: 0.7, gate: "sample" } as const
    const { out } = yield* evaluate({ residual, x }, (input) => ({
      out: shakeDrop("block", input.x as tf.Tensor4D, input.residual as tf.Tensor4D, options, {
        _tag: "Evaluation"
      })
    }))
    assert.isBelow(distance(out, fixture["out_eval_p0.7"]), 1e-6)
  })
)

it.effect("training's mean over many draws is evaluation's output; draws depend on step and sample", () =>
  Effect.gen(function* () {
    const samples = 20_000
    const ones = float32([samples, 1, 1, 1], new Float32Array(samples).fill(1))
    const zeros = float32([samples, 1, 1, 1])
    const options = { alpha: [-0.5, 1], beta: [0, 1], survival: 0.6, gate: "sample" } as const
    const steps = [0, 0, 1].map((step) =>
      evaluate({ ones, zeros, step: int32([], Int32Array.of(step)) }, (input) => {
        const mode = { _tag: "Training", key: { seed: 7, step: input.step as tf.Scalar } } as const
        const [x, r] = [input.zeros as tf.Tensor4D, input.ones as tf.Tensor4D]
        return { out: shakeDrop("block", x, r, options, mode) }
      })
    )
    const [first, again, other] = yield* Effect.all(steps)
    const values = Array.from(first.out.data)
    const mean = values.reduce((a, b) => a + b, 0) / samples
    assert.closeTo(mean, 0.6 + 0.4 * 0.25, 0.01)
    const open = values.filter((value) => value === 1).length
    assert.closeTo(open / samples, 0.6, 0.015)
    assert.isTrue(values.every((value) => value >= -0.5 && value <= 1))
    assert.deepStrictEqual(again.out.data, first.out.data)
    assert.notDeepEqual(other.out.data, first.out.data)
  })
)

it.effect("one gate for a batch: all samples pass or none, in parts of the batch as in the whole", () =>
  Effect.gen(function* () {
    const [steps, samples] = [200, 6]
    const options = { alpha: [-1, 0.9], beta: [0, 1], survival: 0.6, gate: "batch" } as const
    const host = { residual: float32([samples, 1, 1, 1], new Float32Array(samples).fill(1)) }
    const out = yield* evaluate(host, ({ residual }) => {
      const at = (rows: tf.Tensor4D, step: number, part?: { index: number; of: number }) =>
        shakeDrop("block", tf.zerosLike(rows), rows, options, {
          _tag: "Training",
          key: {
            seed: 3,
            step: tf.scalar(step, "int32"),
            ...(part && { part: { index: tf.scalar(part.index, "int32"), of: part.of } })
          }
        })
      const whole = Array.from({ length: steps }, (_, step) => at(residual as tf.Tensor4D, step))
      const half = tf.slice(residual, 0, samples / 2) as tf.Tensor4D
      const parts = Array.from({ length: steps }, (_, step) =>
        [0, 1].map((index) => at(half, step, { index, of: 2 }))
      )
      return { whole: tf.concat(whole), parts: tf.concat(parts.flat()) }
    })
    assert.deepStrictEqual(out.parts.data, out.whole.data)
    const passed = Array.from({ length: steps }, (_, step) =>
      Array.from(out.whole.data.slice(step * samples, (step + 1) * samples)).filter((value) => value === 1)
    )
    assert.isTrue(passed.every(({ length }) => length === 0 || length === samples))
    assert.closeTo(passed.filter(({ length }) => length > 0).length / steps, 0.6, 0.1)
  })
)

it("survival falls linearly to the last block's", () => {
  assert.strictEqual(survivalAt(0.5, 90, 90), 0.5)
  assert.strictEqual(survivalAt(0.5, 45, 90), 0.75)
  assert.closeTo(survivalAt(0.5, 1, 90), 1 - 0.5 / 90, 1e-12)
})
