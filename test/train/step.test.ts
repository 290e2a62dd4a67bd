import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { batchNorm } from "../../src/Model/Layer/BatchNorm.ts"
import { pooledClassifier } from "../../src/Model/Layer/Classifier.ts"
import { conv } from "../../src/Model/Layer/Convolution.ts"
import { stateless } from "../../src/Model/Layer/Layer.ts"
import { sequential } from "../../src/Model/Lowering/Sequential.ts"
import { type Network, network } from "../../src/Model/Network.ts"
import { relu } from "../../src/Ops/Activation.ts"
import { draws } from "../../src/Random.ts"
import { float32, int32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { ascend } from "../../src/Train/Optimizer/Sam.ts"
import { sgd } from "../../src/Train/Optimizer/Sgd.ts"
import { distillationLoss, softTargets, teacherState } from "../../src/Train/Step/Distillation.ts"
import {
  gradientsOf,
  initialState,
  PLAIN_STEP,
  type StepOptions,
  trainingStep
} from "../../src/Train/Step/Step.ts"
import { channelsLast, distance, norm, readTensors, under } from "../support/Fixtures.ts"
import { evaluate, onCpu } from "../support/OnCpu.ts"

const CLASSES = 5

/** The networks of the fixture: a convolution, a normalisation, a ReLU, a mean and a linear layer. */
const small = (width: number): Network =>
  network(
    "small",
    CLASSES,
    pooledClassifier(
      sequential([
        conv("conv", { in: 3, out: width, kernel: 3, size: { height: 6, width: 6 } }),
        batchNorm("bn", width),
        stateless(relu)
      ]),
      width,
      CLASSES
    )
  )

const fixture = readTensors("steps.safetensors")
const x = channelsLast(fixture.input)
const student = small(6)
const teachers = [small(6), small(9)]
const taught = teacherState(teachers.map((_, i) => under(fixture, `teacher${i}.`)))

/** Rows moved on by `by` places, as torch.roll does. */
const rolled = <A extends Float32Array | Int32Array>(data: A, by: number): A => {
  const row = data.length / 8
  const from = data.length - by * row
  const result = data.slice() as A
  result.set(data.subarray(from), 0)
  result.set(data.subarray(0, from), by * row)
  return result
}

const base: StepOptions = { ...PLAIN_STEP, optimizer: sgd({ momentum: 0.9, weightDecay: 0.01 }) }

const cases: ReadonlyArray<readonly [name: string, options: StepOptions]> = [
  ["plain", base],
  ["sam", { ...base, sam: { rho: 0.3, adaptive: false } }],
  ["asam", { ...base, sam: { rho: 0.8, adaptive: true } }],
  ["distilled", { ...base, distillation: { teachers, temperature: 3, weight: 0.7 } }]
]

it.effect.each(cases)("three %s steps equal PyTorch's", ([name, options]) =>
  Effect.gen(function* () {
    const device = yield* Device
    const start = under(fixture, "weights.")
    const program = yield* device.compile(
      { ...initialState(student, start, base), ...taught },
      {
        step: entryPoint({
          inputs: { images: x, labels: { dtype: "int32", shape: [8] } },
          run: (state, { images, labels }) => {
            const classes = labels as tf.Tensor1D
            return trainingStep(student, options, state, {
              images: images as tf.Tensor4D,
              labels: { a: classes, b: classes, lambda: tf.ones([8]) },
              learningRate: tf.scalar(0.2),
              step: tf.scalar(0, "int32"),
              coefficients: {},
              key: { seed: 0, step: tf.scalar(0, "int32") }
            })
          }
        })
      }
    )
    for (let step = 0; step < 3; step++) {
      const { loss } = yield* program.run("step", {
        images: { ...x, data: rolled(x.data, step) },
        labels: int32([8], rolled(fixture.labels.data as Int32Array, step))
      })
      assert.closeTo(loss.data[0], fixture[`${name}.losses`].data[step], 2e-5 * loss.data[0])
    }
    const state = yield* program.read
    const { losses: _, ...expected } = under(fixture, `${name}.`)
    for (const [key, value] of Object.entries(expected)) {
      assert.isBelow(distance(state[key], value), 2e-5, key)
    }
  }).pipe(onCpu)
)

it.effect("a loss that is no scalar, and a network of other classes, are refused while they are traced", () =>
  Effect.gen(function* () {
    const device = yield* Device
    const start = under(fixture, "weights.")
    const traced = (options: StepOptions, taken: Network) =>
      device.compile(initialState(student, start, options), {
        step: entryPoint({
          inputs: { images: x },
          run: (state, { images }) => {
            const labels = tf.zeros<tf.Rank.R1>([8], "int32")
            return trainingStep(taken, options, state, {
              images: images as tf.Tensor4D,
              labels: { a: labels, b: labels, lambda: tf.ones([8]) },
              learningRate: tf.scalar(0.2),
              step: tf.scalar(0, "int32"),
              coefficients: {},
              key: { seed: 0, step: tf.scalar(0, "int32") }
            })
          }
        })
      })
    const forgotten = (logits: tf.Tensor2D) => tf.sum(logits, 1) as unknown as tf.Scalar
    const vector = yield* Effect.flip(traced({ ...base, loss: forgotten }, student))
    assert.match(vector.message, /the loss gives a tensor \[8\], not a scalar$/)
    const classes = yield* Effect.flip(traced(base, { ...student, classes: 7 }))
    assert.match(classes.message, /gives a tensor \[8,5\], not a tensor \[8,7\]$/)
  }).pipe(Effect.scoped, onCpu)
)

describe("SAM's step up", () => {
  const random = draws(1, "weights")
  const drawn = (size: number) =>
    float32(
      [size],
      Float32Array.from({ length: size }, () => random.normal())
    )
  const weights = { matrix: drawn(7), "offset.weight": drawn(3) }
  const gradients = { "g matrix": drawn(7), "g offset.weight": drawn(3) }

  const tensors = [
    { name: "matrix", kind: "linear" },
    { name: "offset.weight", kind: "bias" }
  ] as const

  /** ε by name. */
  const steps = (input: TensorRecord, adaptive: boolean) =>
    evaluate(input, (all) => {
      const parameters = { matrix: all.matrix, "offset.weight": all["offset.weight"] }
      const slopes = { matrix: all["g matrix"], "offset.weight": all["g offset.weight"] }
      const moved = ascend(tensors, parameters, slopes, { rho: 0.4, adaptive })
      return {
        weight: tf.sub(moved.matrix, all.matrix),
        bias: tf.sub(moved["offset.weight"], all["offset.weight"])
      }
    })

  it.effect("has the length ρ and the direction of the gradient", () =>
    Effect.gen(function* () {
      const { bias, weight } = yield* steps({ ...weights, ...gradients }, false)
      assert.closeTo(norm([weight, bias]), 0.4, 1e-6)
      const ratio = 0.4 / norm(Object.values(gradients))
      weight.data.forEach((value, i) => {
        assert.closeTo(value, ratio * gradients["g matrix"].data[i], 1e-6)
      })
    })
  )

  it.effect("has with ASAM the length ρ relative to the weights", () =>
    Effect.gen(function* () {
      const { bias, weight } = yield* steps({ ...weights, ...gradients }, true)
      const relative = float32(
        [7],
        Float32Array.from(weight.data, (value, i) => value / (Math.abs(weights.matrix.data[i]) + 0.01))
      )
      assert.closeTo(norm([relative, bias]), 0.4, 1e-6)
    })
  )
})

it.effect("teachers see whole images where the student sees smaller ones", () =>
  Effect.gen(function* () {
    const distillation = { teachers, temperature: 3, weight: 1 }
    const { expected, loss, shrunk } = yield* evaluate(
      { ...under(fixture, "weights."), ...taught, x },
      (all) => {
        const key = { seed: 0, step: tf.scalar(0, "int32") }
        const whole = all.x as tf.Tensor4D
        const images = tf.slice4d(whole, [0, 0, 0, 0], [8, 3, 3, 3])
        const classes = tf.zeros([8], "int32") as tf.Tensor1D
        const labels = { a: classes, b: classes, lambda: tf.ones([8]) as tf.Tensor1D }
        const options = { ...base, distillation }
        const given = gradientsOf(student, options, all, { images, whole: () => whole, labels, key })
        const { logits } = student.apply(all, images, { _tag: "Training", key, recompute: false })
        const learnt = (seen: tf.Tensor4D) =>
          distillationLoss(logits, softTargets(distillation, all, seen), distillation.temperature)
        return { loss: given.loss, expected: learnt(whole), shrunk: learnt(images) }
      }
    )
    assert.closeTo(loss.data[0], expected.data[0], 1e-5)
    assert.notEqual(shrunk.data[0], expected.data[0])
  }).pipe(onCpu)
)

it.effect("several teachers give the mean of their softened probabilities, by their shares", () =>
  Effect.gen(function* () {
    const soft = (chosen: ReadonlyArray<0 | 1>, shares?: ReadonlyArray<number>) =>
      Effect.map(
        evaluate({ x, ...teacherState(chosen.map((i) => under(fixture, `teacher${i}.`))) }, (all) => ({
          soft: softTargets(
            {
              teachers: chosen.map((i) => teachers[i]),
              temperature: 3,
              weight: 1,
              ...(shares && { shares })
            },
            all,
            all.x as tf.Tensor4D
          )
        })),
        (result) => result.soft
      )
    const shares = [0.25, 0.75]
    const [first, second, both, weighted] = yield* Effect.all([
      soft([0]),
      soft([1]),
      soft([0, 1]),
      soft([0, 1], shares)
    ])
    both.data.forEach((value, i) => {
      assert.closeTo(value, (first.data[i] + second.data[i]) / 2, 1e-6)
      assert.closeTo(weighted.data[i], (first.data[i] + 3 * second.data[i]) / 4, 1e-6)
    })
    const total = Array.from(both.data).reduce((a, b) => a + b)
    assert.closeTo(total, 8, 1e-5)
    assert.isAbove(distance(first, second), 0.1)
  })
)
