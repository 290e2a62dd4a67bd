import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { fromPyTorch } from "../../src/Model.ts"
import { float32, scalar, type TensorRecord } from "../../src/Tensor.ts"
import { globalNorm, momentumOf, type OptimizerOptions, optimizerStep } from "../../src/Train/Optimizer.ts"
import { distance, readJson } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"

type Recorded = Readonly<
  Record<string, { readonly shape: ReadonlyArray<number>; readonly data: ReadonlyArray<number> }>
>

const fixture = readJson<{
  readonly rates: ReadonlyArray<number>
  readonly start: Recorded
  readonly gradients: ReadonlyArray<Recorded>
  readonly sgd: Recorded
}>("optimizers.json")

const tensors = (recorded: Recorded): TensorRecord =>
  fromPyTorch(
    Object.fromEntries(
      Object.entries(recorded).map(([name, { data, shape }]) => [
        name,
        float32(shape, Float32Array.from(data))
      ])
    )
  )

/** Parameters after the fixture's gradients. */
const trained = (options: OptimizerOptions) =>
  Effect.gen(function* () {
    const device = yield* Device
    const start = tensors(fixture.start)
    const state: Record<string, TensorRecord[string]> = { ...start }
    for (const [name, { shape }] of Object.entries(start)) state[momentumOf(name)] = float32(shape)
    const program = yield* device.compile(state, {
      step: entryPoint({
        inputs: { rate: { dtype: "float32", shape: [] }, ...start },
        run: (state, { rate, ...gradients }) => ({
          state: optimizerStep(state, gradients, globalNorm(gradients), rate, options),
          output: {}
        })
      })
    })
    for (const [i, gradients] of fixture.gradients.entries()) {
      yield* program.run("step", { rate: scalar(fixture.rates[i]), ...tensors(gradients) })
    }
    return yield* program.read
  }).pipe(onCpu)

const assertClose = (actual: TensorRecord, expected: Recorded) => {
  for (const [name, value] of Object.entries(tensors(expected))) {
    assert.isBelow(distance(actual[name], value), 2e-6, name)
  }
}

it.effect("SGD with clipping, and another weight decay for vectors, equals PyTorch's", () =>
  Effect.gen(function* () {
    const options = { momentum: 0.9, weightDecay: 0.1, normWeightDecay: 0.01, clipNorm: 3 }
    assertClose(yield* trained(options), fixture.sgd)
    const { normWeightDecay: _, ...same } = options
    const other = yield* trained(same)
    const expected = tensors(fixture.sgd)
    assert.isBelow(distance(other["fc.weight"], expected["fc.weight"]), 2e-6)
    assert.isAbove(distance(other["norm.weight"], expected["norm.weight"]), 1e-3)
  })
)
