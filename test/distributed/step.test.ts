/** A step that replicas share: the same as one device's where batch normalisation is synchronised, or simulated. */
import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { Device, entryPoint } from "../../src/Device.ts"
import { placesOf, type Share } from "../../src/Distributed.ts"
import { schemas } from "../../src/Experiment.ts"
import { type ModelInput, makeNetwork } from "../../src/Model.ts"
import { draws } from "../../src/Random.ts"
import {
  float32,
  type HostTensor,
  int32,
  scalar,
  type TensorRecord,
  uint8
} from "../../src/Tensor/HostTensor.ts"
import { batchInputs, batchOf as inputOf, updateInputs, updateOf } from "../../src/Train/Step/EntryPoints.ts"
import { applyGradients, gradientsOf, initialState, PLAIN_STEP } from "../../src/Train/Step/Step.ts"
import { compileTraining } from "../../src/Train/Step/TrainingProgram.ts"
import { distance } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"
import { onReplicas } from "../support/Replicas.ts"

const BATCH = 8
const size = { height: 8, width: 8 }
const bytes = size.height * size.width * 3

const batchOf = (step: number, places: Uint32Array) => {
  const random = draws(2, "batches", step)
  const images = Uint8Array.from({ length: BATCH * bytes }, () => random.int(256))
  const labels = Array.from({ length: 2 }, () => Int32Array.from({ length: BATCH }, () => random.int(4)))
  const lambda = Float32Array.from({ length: BATCH }, () => random.uniform())
  return {
    images: Uint8Array.from([...places].flatMap((i) => [...images.subarray(i * bytes, (i + 1) * bytes)])),
    labelsA: Int32Array.from(places, (i) => labels[0][i]),
    labelsB: Int32Array.from(places, (i) => labels[1][i]),
    lambda: Float32Array.from(places, (i) => lambda[i])
  }
}

const STEPS = 2

/** What differs from a plain training. */
interface Options {
  readonly gradientAccumulationSteps?: number
  readonly [key: string]: unknown
}

const imagesOf = (parts: number) =>
  ({ size, batchSize: BATCH / parts, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }) as const

/** The program of a training, as a replica's or alone. */
const compiled = (model: ModelInput, options: object, share?: Share) =>
  Effect.gen(function* () {
    const train = yield* decodeStrictly((yield* schemas).train, {
      ...{ epochs: 1, batchSize: BATCH, learningRate: 0.1, schedule: { _tag: "Cosine" } },
      ...options
    })
    const parts = train.gradientAccumulationSteps
    const count = share?.count ?? 1
    const network = makeNetwork(model, { classes: 4, size })
    return yield* compileTraining(yield* Device, {
      ...{ network, train, weights: network.init(1), seed: 5, teachers: [], precision: "float32" },
      images: imagesOf(parts * count),
      replicas: share
    })
  })

/** State and outputs after some steps. */
const trained = (model: ModelInput, options: Options, share?: Share) =>
  Effect.gen(function* () {
    const program = yield* compiled(model, options, share)
    const places = placesOf(share ?? { index: 0, count: 1 }, BATCH, options.gradientAccumulationSteps ?? 1)
    const outputs = []
    for (let step = 0; step < STEPS; step++) {
      const at = { step, learningRate: 0.1, coefficients: { ema: 0.5 }, scale: 1 }
      outputs.push(yield* program.step(batchOf(step, places), at))
    }
    return { outputs, state: yield* program.read }
  }).pipe(Effect.scoped)

const furthest = (one: TensorRecord, other: TensorRecord): number =>
  Math.max(...Object.keys(one).map((name) => distance(one[name], other[name])))

const pyramid: ModelInput = {
  ...{ _tag: "PyramidNet", block: "bottleneck", depth: 11, alpha: 6 },
  shakeDrop: { survival: 0.5, ranges: "paper" }
}
const wide: ModelInput = { _tag: "WideResNet", depth: 10, widenFactor: 1 }
const simple: ModelInput = { _tag: "SimpleCnn", width: 2 }

const CASES: ReadonlyArray<readonly [name: string, model: ModelInput, options: Options]> = [
  ["PyramidNet with ShakeDrop, EMA and clipping", pyramid, { ema: { decay: 0.5 }, clipGradNorm: 0.5 }],
  [
    ...(["WideResNet with SAM, Muon and recomputed blocks", wide] as const),
    { sam: { rho: 0.05 }, optimizer: { _tag: "Muon", learningRate: 0.1 }, gradientCheckpointing: true }
  ],
  ["a batch in parts", simple, { gradientAccumulationSteps: 2 }]
]

for (const [name, model, options] of CASES) {
  it.live(`replicas that normalise together do what one device does: ${name}`, () =>
    Effect.gen(function* () {
      const whole = yield* trained(model, options).pipe(onCpu)
      const replicas = yield* onReplicas(2, (share) =>
        trained(model, { ...options, batchNorm: "synchronised" }, share)
      )
      assert.deepStrictEqual(replicas[0], replicas[1])
      for (const [i, { correct, gradientNorm, loss }] of replicas[0].outputs.entries()) {
        assert.closeTo(loss, whole.outputs[i].loss, 1e-5)
        assert.closeTo(correct, whole.outputs[i].correct, 1e-4)
        assert.closeTo(gradientNorm / whole.outputs[i].gradientNorm, 1, 1e-4)
      }
      assert.isBelow(furthest(whole.state, replicas[0].state), 1e-5)
    })
  )
}

/** A step in one process that does what two replicas do that normalise by themselves. */
const simulated = (batches: ReadonlyArray<ReturnType<typeof batchOf>>) =>
  Effect.gen(function* () {
    const network = makeNetwork(wide, { classes: 4, size })
    const images = imagesOf(2)
    const part = batchInputs(images)
    const program = yield* (yield* Device).compile(initialState(network, network.init(1), PLAIN_STEP), {
      step: entryPoint({
        inputs: {
          ...Object.fromEntries(
            Object.entries(part).flatMap(([name, spec]) => [
              [`${name}0`, spec],
              [`${name}1`, spec]
            ])
          ),
          ...updateInputs(PLAIN_STEP)
        },
        run: (state, input) => {
          const step = input.step as tf.Scalar
          const results = [0, 1].map((index) => {
            const own = Object.fromEntries(
              Object.keys(part).map((name) => [name, input[`${name}${index}` as "step"]])
            )
            return gradientsOf(network, PLAIN_STEP, state, {
              ...inputOf(images, own as Parameters<typeof inputOf>[1], 1),
              key: { seed: 5, step, part: { index: tf.scalar(index, "int32"), of: 2 } }
            })
          })
          const mean = (key: "gradients" | "statistics") =>
            Object.fromEntries(
              Object.keys(results[0][key]).map((name) => [
                name,
                tf.div(tf.add(results[0][key][name], results[1][key][name]), 2)
              ])
            )
          const result = { gradients: mean("gradients"), statistics: mean("statistics") }
          const next = applyGradients(network, PLAIN_STEP, state, result, updateOf(PLAIN_STEP, input))
          return { state: next.state, output: {} }
        }
      })
    })
    for (let step = 0; step < STEPS; step++) {
      const input: Record<"step" | "learningRate", HostTensor> & Record<string, HostTensor> = {
        step: int32([], Int32Array.of(step)),
        learningRate: scalar(0.1)
      }
      for (const index of [0, 1]) {
        const { images: pixels, labelsA, labelsB, lambda } = batches[2 * step + index]
        input[`images${index}`] = uint8(part.images.shape, pixels)
        input[`labelsA${index}`] = int32([BATCH / 2], labelsA)
        input[`labelsB${index}`] = int32([BATCH / 2], labelsB)
        input[`lambda${index}`] = float32([BATCH / 2], lambda)
        input[`step${index}`] = input.step
      }
      yield* program.run("step", input)
    }
    return yield* program.read
  }).pipe(onCpu)

it.live("replicas that normalise by themselves do what one process does that simulates them", () =>
  Effect.gen(function* () {
    const shares = [0, 1].map((index) => placesOf({ index, count: 2 }, BATCH, 1))
    const batches = Array.from({ length: STEPS }, (_, step) => shares.map((places) => batchOf(step, places)))
    const expected = yield* simulated(batches.flat())
    const [full, rounded] = [
      yield* onReplicas(2, (share) => trained(wide, {}, share)),
      yield* onReplicas(2, (share) => trained(wide, { gradientCompression: "bfloat16" }, share))
    ]
    assert.isBelow(furthest(expected, full[0].state), 1e-6)
    // Eight bits of each gradient's digits are sent.
    assert.deepStrictEqual(rounded[0], rounded[1])
    const distance = furthest(expected, rounded[0].state)
    assert.isAbove(distance, 1e-6)
    assert.isBelow(distance, 0.02)
  })
)

it.live(
  "replicas stop together where one of them asks for it, sum numbers, and take the state of the first",
  () =>
    Effect.gen(function* () {
      const results = yield* onReplicas(2, (share) =>
        Effect.gen(function* () {
          const program = yield* compiled(simple, {}, share)
          const before = yield* program.read
          const changed = Object.fromEntries(
            Object.entries(before).map(([name, value]) => [
              name,
              { ...value, data: value.data.map((x) => x + share.index) }
            ])
          )
          yield* program.write(changed)
          yield* program.adopt
          const adopted = furthest(before, yield* program.read)
          const sum = yield* program.sum(
            Float32Array.from({ length: 70_000 }, (_, i) => share.index + (i % 7))
          )
          const at = { step: 0, learningRate: 0.1, coefficients: {}, scale: 1 }
          const batch = batchOf(0, placesOf(share, BATCH, 1))
          const stops = [
            (yield* program.step(batch, at)).stop,
            (yield* program.step(batch, { ...at, stop: share.index === 1 })).stop
          ]
          return { adopted, stops, sum }
        }).pipe(Effect.scoped)
      )
      for (const { adopted, stops, sum } of results) {
        assert.strictEqual(adopted, 0)
        assert.deepStrictEqual(stops, [false, true])
        assert.deepStrictEqual(
          sum,
          Float32Array.from({ length: 70_000 }, (_, i) => 1 + 2 * (i % 7))
        )
      }
    })
)
