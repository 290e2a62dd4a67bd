import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { valueAndGradients } from "../../src/Device/Gradients.ts"
import { Device, entryPoint } from "../../src/Device.ts"
import {
  makeNetwork,
  type Network,
  pyramidNet,
  SHAKE_RANGES,
  simpleCnn,
  wideResNet
} from "../../src/Model.ts"
import { draws } from "../../src/Random.ts"
import { float32, type HostTensor, scalar, sizeOf, type TensorRecord } from "../../src/Tensor.ts"
import { averageOf } from "../../src/Train/Average.ts"
import { crossEntropy, targets } from "../../src/Train/Loss.ts"
import { initialState, trainingStep } from "../../src/Train/Step.ts"
import { channelsLast, distance, euclidean, readJson, readTensors, under } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"

const size = { height: 32, width: 32 }
const shakeDrop = { ...SHAKE_RANGES.series, survival: 0.5 }
const open = { ...shakeDrop, survival: 1 }
const pyramid = (shakeDrop: typeof open) => pyramidNet({ depth: 20, alpha: 24, shakeDrop, classes: 10, size })
const wide = (shakeDrop: typeof open) => wideResNet({ depth: 10, width: 2, shakeDrop, classes: 10, size })

interface Step {
  readonly lam: number
  readonly roll: number
  readonly loss: number
  readonly grad_norm_before_clip: number
  readonly weight_l2: number
  readonly ema_l2: number
}

/** Euclidean norm of all values together. */
const norm = (tensors: ReadonlyArray<HostTensor>): number =>
  Math.sqrt(tensors.reduce((sum, { data }) => Array.from(data).reduce((a, v) => a + v * v, sum), 0))

/** Moves samples on by `by` places, as torch.roll does. */
const rolled = <A extends HostTensor["data"]>(data: A, by: number): A => {
  const length = data.length / 8
  const result = data.slice() as A
  for (let i = 0; i < 8; i++) {
    const from = (i - by + 8) % 8
    result.set(data.subarray(from * length, (from + 1) * length), i * length)
  }
  return result
}

/** Every value changed by about one rounding of float32. */
const disturbed = (weights: TensorRecord, seed: number): TensorRecord => {
  const random = draws(seed, "disturbance")
  return Object.fromEntries(
    Object.entries(weights).map(([name, value]) => [
      name,
      float32(
        value.shape,
        Float32Array.from(value.data, (v) => v * (1 + 2e-7 * (random.uniform() - 0.5)))
      )
    ])
  )
}

/** A gate that is always open is a survival of 1; evaluation has the usual survival. */
const cases: ReadonlyArray<readonly [name: string, training: Network, evaluation: Network]> = [
  ["pyramidnet-20-a24", pyramid(open), pyramid(shakeDrop)],
  ["wrn-10-2", wide(open), wide(shakeDrop)]
]

const image = { dtype: "float32", shape: [8, 32, 32, 3] } as const
const label = { dtype: "int32", shape: [8] } as const
const number = { dtype: "float32", shape: [] } as const

describe.each(cases)("%s", (name, training, evaluation) => {
  const fixture = readTensors(`${name}.safetensors`)
  const weights = under(fixture, "weights.")
  const x = channelsLast(fixture.input_nchw)

  it.effect("logits, loss, gradients and running statistics equal PyTorch's", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const parameters = training.tensors.filter(({ role }) => role === "parameter")
      const program = yield* device.compile(weights, {
        evaluate: entryPoint({
          inputs: { x: image },
          run: (state, { x }) => ({
            output: { logits: evaluation.apply(state, x as tf.Tensor4D, { _tag: "Evaluation" }).logits }
          })
        }),
        gradients: entryPoint({
          inputs: { x: image, labels: label },
          run: (state, { x, labels }) => {
            const { auxiliary, gradients, loss } = valueAndGradients(
              () => {
                const key = { seed: 0, step: tf.scalar(0, "int32") }
                const { logits, statistics } = training.apply(state, x as tf.Tensor4D, {
                  _tag: "Training",
                  key
                })
                const a = labels as tf.Tensor1D
                const target = targets({ a, b: a, lambda: tf.ones([8]) }, 10, 0.1)
                return { loss: crossEntropy(logits, target), auxiliary: { ...statistics, logits } }
              },
              Object.fromEntries(parameters.map(({ name }) => [name, state[name]]))
            )
            return {
              output: {
                loss,
                ...auxiliary,
                ...Object.fromEntries(Object.entries(gradients).map(([key, value]) => [`grad ${key}`, value]))
              }
            }
          }
        })
      })
      const { logits } = yield* program.run("evaluate", { x })
      assert.isBelow(distance(logits, fixture.logits_eval), 1e-4)

      const result = yield* program.run("gradients", { x, labels: fixture.labels })
      assert.isBelow(distance(result.logits, fixture.logits_train), 1e-4)
      assert.closeTo(result.loss.data[0], fixture.loss_train.data[0], 1e-5)
      const expected = under(fixture, "grad.")
      assert.sameMembers(
        Object.keys(expected),
        parameters.map(({ name }) => name)
      )
      const values: Readonly<Record<string, (typeof result)[keyof typeof result]>> = result
      // Some gradients are zero but for rounding (biases in front of a normalisation), and a ReLU's input may lie
      // within a rounding of zero: each tensor may be off by a little of the whole gradient besides.
      const whole = norm(Object.values(expected))
      for (const [key, value] of Object.entries(expected)) {
        const allowed = 1e-3 * (norm([value]) + 0.01 * whole)
        assert.isBelow(euclidean(values[`grad ${key}`], value), allowed, key)
      }
      const after = under(fixture, "after.")
      assert.isNotEmpty(Object.keys(after))
      for (const [key, value] of Object.entries(after)) {
        assert.isBelow(distance(values[key], value), 1e-4, key)
      }
    }).pipe(onCpu)
  )

  it.effect("five steps with mixup, smoothing, clipping, decay, Nesterov and averages equal PyTorch's", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const options = { labelSmoothing: 0.1, ema: true, momentum: 0.9, weightDecay: 1e-4, clipNorm: 1 }
      const program = yield* device.compile(initialState(training, weights, true), {
        step: entryPoint({
          inputs: { a: image, b: image, labelsA: label, labelsB: label, lambda: number },
          run: (state, { a, b, labelsA, labelsB, lambda }) =>
            trainingStep(training, options, state, {
              images: tf.add(tf.mul(lambda, a), tf.mul(tf.sub(1, lambda), b)),
              labels: {
                a: labelsA as tf.Tensor1D,
                b: labelsB as tf.Tensor1D,
                lambda: tf.mul(tf.ones([8]), lambda) as tf.Tensor1D
              },
              learningRate: tf.scalar(0.1),
              averageDecay: tf.scalar(0.9),
              key: { seed: 0, step: tf.scalar(0, "int32") }
            })
        })
      })
      const { steps } = readJson<{ readonly steps: ReadonlyArray<Step> }>(`${name}.training.json`)
      const names = training.tensors.filter(({ role }) => role === "parameter").map(({ name }) => name)

      const trace = Effect.fnUntraced(function* (start: TensorRecord) {
        yield* program.write(initialState(training, start, true))
        const results: Array<Omit<Step, "lam" | "roll">> = []
        for (const { lam, roll } of steps) {
          const output = yield* program.run("step", {
            a: x,
            b: { ...x, data: rolled(x.data, roll) },
            labelsA: fixture.labels,
            labelsB: { ...fixture.labels, data: rolled(fixture.labels.data, roll) },
            lambda: scalar(lam)
          })
          const state = yield* program.read
          results.push({
            loss: output.loss.data[0],
            grad_norm_before_clip: output.gradientNorm.data[0],
            weight_l2: norm(names.map((key) => state[key])),
            ema_l2: norm(names.map((key) => state[averageOf(key)]))
          })
        }
        return results
      })

      // These steps amplify what is put in: weights that differ by a rounding (1e-7) end percents apart after a few
      // steps, on PyTorch too. A result may differ from PyTorch's by 1e-3, or where the trace itself is less
      // certain than that, by what such a rounding changes.
      const actual = yield* trace(weights)
      const neighbours = yield* Effect.forEach([1, 2, 3, 4], (seed) => trace(disturbed(weights, seed)))
      for (const [i, expected] of steps.entries()) {
        for (const key of ["loss", "grad_norm_before_clip", "weight_l2", "ema_l2"] as const) {
          const off = (value: number) => Math.abs(value - expected[key]) / expected[key]
          const spread = Math.max(...neighbours.map((neighbour) => off(neighbour[i][key])))
          const certain = i < 2 || key.endsWith("_l2")
          assert.isBelow(off(actual[i][key]), certain ? 1e-3 : Math.max(1e-3, 2 * spread), `${key} ${i}`)
        }
      }
    }).pipe(onCpu)
  )
})

describe("parameter counts", () => {
  const counts = readJson<Record<string, number>>("parameter-counts.json")
  it.each(Object.entries(counts))("%s has %d", (name, count) => {
    const [family, depth, width, classes] = name.split("-")
    const common = { classes: Number(classes), size }
    const network =
      family === "wrn"
        ? wideResNet({ ...common, depth: Number(depth), width: Number(width) })
        : pyramidNet({ ...common, depth: Number(depth), alpha: Number(width.slice(1)) })
    assert.strictEqual(network.parameters, count)
  })
})

describe("networks", () => {
  it("counts multiply-adds of convolutions and the classifier", () => {
    const width = 8
    const { multiplyAdds } = simpleCnn({ width, classes: 10, size })
    const convolutions =
      1024 * 9 * (3 * width + width * width) +
      256 * 9 * (2 * width * width + 4 * width * width) +
      64 * 9 * (8 * width * width + 16 * width * width)
    assert.strictEqual(multiplyAdds, convolutions + 4 * width * 10)
  })

  it("starts convolutions normal with variance 2 / fan-out, the same for the same seed", () => {
    const network = wideResNet({ depth: 10, width: 4, classes: 10, size })
    const name = "block3.layer.0.conv2.weight"
    const { data } = network.init(3)[name]
    const values = data as Float32Array
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length
    assert.closeTo(variance / (2 / (9 * 256)), 1, 0.02)
    assert.closeTo(values.reduce((a, b) => a + b, 0) / values.length, 0, 1e-3)
    assert.deepStrictEqual(network.init(3)[name].data, data)
    assert.notDeepEqual(network.init(4)[name].data, data)
  })

  it.effect("take images of any size and any number of classes", () =>
    Effect.gen(function* () {
      const device = yield* Device
      for (const [height, width] of [
        [9, 14],
        [1, 1]
      ]) {
        const data = { classes: 7, size: { height, width } }
        for (const network of [
          makeNetwork({ _tag: "SimpleCnn", width: 2 }, data),
          makeNetwork({ _tag: "WideResNet", depth: 10, width: 1 }, data),
          makeNetwork(
            {
              _tag: "PyramidNet",
              block: "bottleneck",
              depth: 11,
              alpha: 3,
              shakeDrop: { survival: 0.5, ranges: "paper" }
            },
            data
          )
        ]) {
          const shape = [2, height, width, 3]
          const program = yield* device.compile(network.init(0), {
            evaluate: entryPoint({
              inputs: { x: { dtype: "float32", shape } },
              run: (state, { x }) => ({
                output: { logits: network.apply(state, x as tf.Tensor4D, { _tag: "Evaluation" }).logits }
              })
            })
          })
          const x = { dtype: "float32", shape, data: new Float32Array(sizeOf(shape)).fill(0.5) } as const
          const { logits } = yield* program.run("evaluate", { x })
          assert.deepStrictEqual(logits.shape, [2, 7])
          assert.isTrue(logits.data.every((value) => Number.isFinite(value)))
        }
      }
    }).pipe(onCpu)
  )
})
