import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { fromPyTorch } from "../../src/Model.ts"
import { draws } from "../../src/Random.ts"
import { float32, scalar, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import {
  type LookaheadOptions,
  lookaheadRate,
  slowOf,
  synchronise
} from "../../src/Train/Optimizer/Lookahead.ts"
import { orthogonalise } from "../../src/Train/Optimizer/Muon.ts"
import {
  globalNorm,
  momentumOf,
  type OptimizerOptions,
  optimizerStep
} from "../../src/Train/Optimizer/Optimizer.ts"
import { distance, readJson } from "../support/Fixtures.ts"
import { evaluate, onCpu } from "../support/OnCpu.ts"

type Recorded = Readonly<
  Record<string, { readonly shape: ReadonlyArray<number>; readonly data: ReadonlyArray<number> }>
>

const fixture = readJson<{
  readonly rates: ReadonlyArray<number>
  readonly start: Recorded
  readonly gradients: ReadonlyArray<Recorded>
  readonly sgd: Recorded
  readonly muon: Recorded
  readonly lookahead: Recorded
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
const trained = (options: OptimizerOptions, lookahead?: LookaheadOptions, rates = fixture.rates) =>
  Effect.gen(function* () {
    const device = yield* Device
    const start = tensors(fixture.start)
    const state: Record<string, TensorRecord[string]> = { ...start }
    for (const [name, value] of Object.entries(start)) {
      state[momentumOf(name)] = float32(value.shape)
      if (lookahead) state[slowOf(name)] = value
    }
    const program = yield* device.compile(state, {
      step: entryPoint({
        inputs: { rate: number, slowRate: number, ...start },
        run: (state, { rate, slowRate, ...gradients }) => {
          const updated = optimizerStep(state, gradients, globalNorm(gradients), rate, options)
          const fast = Object.fromEntries(Object.keys(gradients).map((name) => [name, updated[name]]))
          return {
            state: { ...updated, ...(lookahead ? synchronise(state, fast, slowRate) : {}) },
            output: {}
          }
        }
      })
    })
    for (const [i, gradients] of fixture.gradients.entries()) {
      const steps = rates.length
      const slowRate = lookahead ? lookaheadRate(lookahead, i + 1, { stepsPerEpoch: steps, steps }) : 0
      yield* program.run("step", {
        rate: scalar(rates[i]),
        slowRate: scalar(slowRate),
        ...tensors(gradients)
      })
    }
    return yield* program.read
  }).pipe(onCpu)

const number = { dtype: "float32", shape: [] } as const

const assertClose = (actual: TensorRecord, expected: Recorded) => {
  for (const [name, value] of Object.entries(tensors(expected))) {
    assert.isBelow(distance(actual[name], value), 2e-6, name)
  }
}

it.effect("SGD with clipping, and another weight decay for vectors, equals PyTorch's", () =>
  Effect.gen(function* () {
    const options = { momentum: 0.9, weightDecay: 0.1, normWeightDecay: 0.01, clipGradNorm: 3 }
    assertClose(yield* trained(options), fixture.sgd)
    const { normWeightDecay: _, ...same } = options
    const other = yield* trained(same)
    const expected = tensors(fixture.sgd)
    assert.isBelow(distance(other["fc.weight"], expected["fc.weight"]), 2e-6)
    assert.isAbove(distance(other["norm.weight"], expected["norm.weight"]), 1e-3)
  })
)

it.effect("vectors have a learning rate of their own", () =>
  Effect.gen(function* () {
    const options = { momentum: 0.9, weightDecay: 0.1 }
    const own = yield* trained({ ...options, normRate: 4 })
    const faster = fixture.rates.map((rate) => 4 * rate)
    const expected = { slow: yield* trained(options), fast: yield* trained(options, undefined, faster) }
    for (const [name, { shape }] of Object.entries(fixture.start)) {
      const [same, other] = shape.length === 1 ? (["fast", "slow"] as const) : (["slow", "fast"] as const)
      assert.isBelow(distance(own[name], expected[same][name]), 2e-6, name)
      assert.isAbove(distance(own[name], expected[other][name]), 1e-3, name)
    }
  })
)

it.effect("Muon for convolutions and SGD for the rest equal PyTorch's", () =>
  Effect.gen(function* () {
    const muon = { rate: 0.6, momentum: 0.6, nsSteps: 5 }
    assertClose(yield* trained({ momentum: 0.85, weightDecay: 0.1, muon }), fixture.muon)
  })
)

it.effect("Lookahead over SGD equals PyTorch's, and what is kept are slow weights", () =>
  Effect.gen(function* () {
    const state = yield* trained({ momentum: 0.9, weightDecay: 0 }, { k: 2, alpha: 0.3 })
    assertClose(state, fixture.lookahead)
    for (const name of Object.keys(fixture.start)) assert.deepStrictEqual(state[slowOf(name)], state[name])
  })
)

it("Lookahead's α falls as airbench's", () => {
  const options = { k: 5, alpha: 1 - 0.95 ** 5, power: 3 }
  const rates = Array.from({ length: 40 }, (_, i) =>
    lookaheadRate(options, i + 1, { stepsPerEpoch: 8, steps: 40 })
  )
  for (const [i, rate] of rates.entries()) {
    const step = i + 1
    const due = step % 5 === 0 || step % 8 === 0
    assert.closeTo(rate, due ? 1 - 0.95 ** 5 * (step / 40) ** 3 : 0, 1e-12)
  }
})

it.effect.each([
  [16, 16],
  [12, 40],
  [40, 12]
] as const)("Muon's updates of %d by %d are nearly orthogonal", ([rows, columns]) =>
  Effect.gen(function* () {
    const random = draws(1, "matrix")
    const x = float32(
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => random.normal())
    )
    const { gram } = yield* evaluate({ x }, ({ x }) => {
      const value = orthogonalise(x as tf.Tensor2D, 5)
      return { gram: tf.matMul(value, value, rows >= columns, rows < columns) }
    })
    // Singular values lie between 0.68 and 1.14, so the gram matrix's are within 0.54 of 1. Those of `x` itself,
    // scaled to norm 1, would be 0.9 off.
    const side = Math.min(rows, columns)
    const squares = Array.from(gram.data, (value, i) => (value - Number(i % (side + 1) === 0)) ** 2)
    const deviation = Math.sqrt(squares.reduce((a, b) => a + b) / side)
    assert.isBelow(deviation, 0.54)
  })
)
