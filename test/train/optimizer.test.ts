import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import type { TensorKind } from "../../src/Model/Layer/Layer.ts"
import { draws } from "../../src/Random.ts"
import { float32, int32, scalar, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import {
  type LookaheadOptions,
  lookaheadRate,
  slowOf,
  synchronise
} from "../../src/Train/Averages/Lookahead.ts"
import { AdamW } from "../../src/Train/Optimizer/AdamW.ts"
import type { Optimizer } from "../../src/Train/Optimizer/Define.ts"
import { Muon, orthogonalise } from "../../src/Train/Optimizer/Muon.ts"
import {
  globalNorm,
  initialSlots,
  type OptimizerOptions,
  optimizerStep,
  slotOf
} from "../../src/Train/Optimizer/Optimizer.ts"
import { sgd } from "../../src/Train/Optimizer/Sgd.ts"
import { distance, readJson, stateOf } from "../support/Fixtures.ts"
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
  /** Five more gradients, for those who take ten steps. */
  readonly more: ReadonlyArray<Recorded>
  readonly adamw: Recorded
}>("optimizers.json")

const tensors = (recorded: Recorded): TensorRecord =>
  stateOf(
    Object.fromEntries(
      Object.entries(recorded).map(([name, { data, shape }]) => [
        name,
        float32(shape, Float32Array.from(data))
      ])
    )
  )

const plain: OptimizerOptions = {
  optimizer: sgd({ momentum: 0.9, weightDecay: 0 }),
  paramGroups: {},
  clipGradNorm: undefined
}

const kindOf = (name: string, rank: number): TensorKind => {
  if (rank === 4) return "conv"
  if (rank === 2) return "linear"
  return name.endsWith(".bias") ? "bias" : "norm"
}

/** The fixture's parameters as a network declares them. */
const specs = Object.entries(tensors(fixture.start)).map(([name, { shape }]) => ({
  ...{ name, shape, role: "parameter" as const },
  kind: kindOf(name, shape.length)
}))

/** Parameters after the fixture's gradients. */
const trained = (
  change: Partial<OptimizerOptions>,
  lookahead?: LookaheadOptions,
  rates = fixture.rates,
  gradientsOfSteps = fixture.gradients
) =>
  Effect.gen(function* () {
    const device = yield* Device
    const options: OptimizerOptions = { ...plain, ...change }
    const start = tensors(fixture.start)
    const state: Record<string, TensorRecord[string]> = {
      ...start,
      ...initialSlots(options.optimizer, specs)
    }
    for (const [name, value] of Object.entries(start)) {
      if (lookahead) state[slowOf(name)] = value
    }
    const program = yield* device.compile(state, {
      step: entryPoint({
        inputs: { rate: number, slowRate: number, step: integer, ...start },
        run: (state, { rate, slowRate, step, ...gradients }) => {
          const at = { learningRate: rate, step: step as tf.Scalar }
          const updated = optimizerStep(specs, state, gradients, globalNorm(gradients), at, options)
          const fast = Object.fromEntries(Object.keys(gradients).map((name) => [name, updated[name]]))
          return {
            state: { ...updated, ...(lookahead ? synchronise(state, fast, slowRate) : {}) },
            output: {}
          }
        }
      })
    })
    for (const [i, gradients] of gradientsOfSteps.entries()) {
      const steps = rates.length
      const slowRate = lookahead ? lookaheadRate(lookahead, i + 1, { stepsPerEpoch: steps, steps }) : 0
      yield* program.run("step", {
        rate: scalar(rates[i]),
        step: int32([], Int32Array.of(i)),
        slowRate: scalar(slowRate),
        ...tensors(gradients)
      })
    }
    return yield* program.read
  }).pipe(onCpu)

const number = { dtype: "float32", shape: [] } as const
const integer = { dtype: "int32", shape: [] } as const

const assertClose = (actual: TensorRecord, expected: Recorded, tolerance = 2e-6) => {
  for (const [name, value] of Object.entries(tensors(expected))) {
    assert.isBelow(distance(actual[name], value), tolerance, name)
  }
}

it.effect("SGD with clipping, and another weight decay for vectors, equals PyTorch's", () =>
  Effect.gen(function* () {
    const options = { optimizer: sgd({ momentum: 0.9, weightDecay: 0.1 }), clipGradNorm: 3 }
    const group = { lrMultiplier: 1, weightDecay: 0.01 }
    assertClose(yield* trained({ ...options, paramGroups: { norm: group, bias: group } }), fixture.sgd)
    const other = yield* trained(options)
    const expected = tensors(fixture.sgd)
    assert.isBelow(distance(other["fc.weight"], expected["fc.weight"]), 2e-6)
    assert.isAbove(distance(other["norm.weight"], expected["norm.weight"]), 1e-3)
  })
)

it.effect("vectors have a learning rate of their own", () =>
  Effect.gen(function* () {
    const options = { optimizer: sgd({ momentum: 0.9, weightDecay: 0.1 }) }
    const group = { lrMultiplier: 4 }
    const own = yield* trained({ ...options, paramGroups: { norm: group, bias: group } })
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
    const options = { _tag: "Muon", learningRate: 0.06, momentum: 0.6, nsSteps: 5 } as const
    const rest = { momentum: 0.85, weightDecay: 0.1 }
    const optimizer = Muon.make({ ...options, sgd: rest }, { learningRate: 0.1 })
    assertClose(yield* trained({ optimizer }), fixture.muon)
  })
)

it.effect("ten steps of AdamW, without decay of vectors, equal PyTorch's", () =>
  Effect.gen(function* () {
    const options = { _tag: "AdamW", betas: [0.9, 0.95], eps: 1e-6, weightDecay: 0.1 } as const
    const optimizer = AdamW.make(options, { learningRate: 1 })
    const group = { lrMultiplier: 1, weightDecay: 0 }
    const gradients = [...fixture.gradients, ...fixture.more]
    const rates = [...fixture.rates, ...fixture.rates]
    const groups = { norm: group, bias: group }
    const state = yield* trained({ optimizer, paramGroups: groups }, undefined, rates, gradients)
    assertClose(state, fixture.adamw, 1e-6)
    assert.property(state, slotOf("exp_avg_sq", "fc.weight"))
    const decayed = yield* trained({ optimizer }, undefined, rates, gradients)
    assert.isAbove(distance(decayed["norm.bias"], tensors(fixture.adamw)["norm.bias"]), 1e-3)
  })
)

it.effect("positions and class tokens do not decay unless they are asked to", () =>
  Effect.gen(function* () {
    const table = specs.map((spec) => ({ ...spec, kind: "embedding" as const }))
    /** Without momentum, and with decay alone. */
    const still: Optimizer = {
      slots: () => [],
      update: (parameter, _, slots, { learningRate, weightDecay = 1 }) => ({
        parameter: tf.sub(parameter, tf.mul(learningRate, tf.mul(parameter, weightDecay))),
        slots
      })
    }
    const after = (paramGroups: OptimizerOptions["paramGroups"]) =>
      evaluate(tensors(fixture.start), (start) => {
        const zeros = Object.fromEntries(Object.entries(start).map(([name, x]) => [name, tf.zerosLike(x)]))
        const at = { learningRate: tf.scalar(0.5), step: tf.scalar(0, "int32") }
        return optimizerStep(table, start, zeros, tf.scalar(0), at, {
          ...plain,
          optimizer: still,
          paramGroups
        })
      })
    const same = yield* after({})
    assert.isBelow(distance(same["fc.weight"], tensors(fixture.start)["fc.weight"]), 1e-9)
    const asked = yield* after({ embedding: { lrMultiplier: 1, weightDecay: 1 } })
    assert.isAbove(distance(asked["fc.weight"], tensors(fixture.start)["fc.weight"]), 1e-2)
  })
)

it.effect("Lookahead over SGD equals PyTorch's, and what is kept are slow weights", () =>
  Effect.gen(function* () {
    const optimizer = sgd({ momentum: 0.9, weightDecay: 0 })
    const state = yield* trained({ optimizer }, { k: 2, alpha: 0.3 })
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
