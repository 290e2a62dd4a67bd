import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { Device } from "../../src/Device.ts"
import { schemas } from "../../src/Experiment.ts"
import { join, SHAKE_RANGES } from "../../src/Model/Block/ShakeDrop.ts"
import { batchNorm } from "../../src/Model/Layer/BatchNorm.ts"
import { pooledClassifier } from "../../src/Model/Layer/Classifier.ts"
import { conv } from "../../src/Model/Layer/Convolution.ts"
import { dropout } from "../../src/Model/Layer/Dropout.ts"
import { cost, type Layer, stateless } from "../../src/Model/Layer/Layer.ts"
import { sequential } from "../../src/Model/Lowering/Sequential.ts"
import { type Network, network } from "../../src/Model/Network.ts"
import { relu } from "../../src/Ops/Activation.ts"
import { draws } from "../../src/Random.ts"
import { compileTraining } from "../../src/Train/Step/TrainingProgram.ts"
import { distance } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"

const BATCH = 12
const size = { height: 6, width: 6 }
const WIDTH = 8

/** A residual block with ShakeDrop and dropout, in front of it whatever is given. */
const shaken = (...first: ReadonlyArray<Layer>): Network => {
  const branch = sequential([
    conv("branch", { in: WIDTH, out: WIDTH, kernel: 3, size }),
    stateless(relu),
    dropout("drop", 0.3)
  ])
  const shakeDrop = { ...SHAKE_RANGES.paper, survival: 0.5, gate: "sample" } as const
  const block: Layer = {
    ...cost([branch]),
    apply: (context, x) => join("block", x, branch.apply(context, x), shakeDrop, context.mode)
  }
  const features = sequential([conv("conv", { in: 3, out: WIDTH, kernel: 3, size }), ...first, block])
  return network("shaken", 4, pooledClassifier(features, WIDTH, 4))
}

/** The state after some steps with batches that are taken in that many parts, and what the steps gave. */
const trained = (network: Network, accumulate: number) =>
  Effect.gen(function* () {
    const train = yield* decodeStrictly((yield* schemas).train, {
      ...{
        epochs: 1,
        batchSize: BATCH,
        learningRate: 0.1,
        schedule: { _tag: "Cosine" },
        gradientAccumulationSteps: accumulate
      },
      ...{ labelSmoothing: 0.1, clipGradNorm: 0.5, ema: { decay: 0.5 }, lookahead: { k: 2 } }
    })
    const images = {
      ...{ size, batchSize: BATCH / accumulate },
      ...({ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const)
    }
    const weights = network.init(1)
    const program = yield* compileTraining(yield* Device, {
      ...{ network, images, train, weights, seed: 5, teachers: [], precision: "float32" }
    })
    const random = draws(2, "batches")
    const outputs = []
    for (let step = 0; step < 3; step++) {
      const batch = {
        images: Uint8Array.from({ length: BATCH * 6 * 6 * 3 }, () => random.int(256)),
        labelsA: Int32Array.from({ length: BATCH }, () => random.int(4)),
        labelsB: Int32Array.from({ length: BATCH }, () => random.int(4)),
        lambda: Float32Array.from({ length: BATCH }, () => random.uniform())
      }
      const at = {
        step,
        learningRate: 0.1,
        coefficients: { ema: 0.5, lookahead: step % 2 === 1 ? 0.5 : 0 },
        scale: 1
      }
      outputs.push(yield* program.step(batch, at))
    }
    return { state: yield* program.read, outputs }
  }).pipe(onCpu)

it.effect("a batch in parts gives the same step as a whole one, random draws included", () =>
  Effect.gen(function* () {
    const whole = yield* trained(shaken(), 1)
    for (const parts of [3, 12]) {
      const inParts = yield* trained(shaken(), parts)
      assert.sameMembers(Object.keys(inParts.state), Object.keys(whole.state))
      for (const [name, value] of Object.entries(whole.state)) {
        assert.isBelow(distance(inParts.state[name], value), 1e-6, name)
      }
      for (const [i, { correct, gradientNorm, loss }] of whole.outputs.entries()) {
        assert.closeTo(inParts.outputs[i].loss, loss, 1e-6)
        assert.closeTo(inParts.outputs[i].correct, correct, 1e-5)
        assert.closeTo(inParts.outputs[i].gradientNorm, gradientNorm, 1e-6)
      }
    }
  })
)

it.effect("running statistics move with every part", () =>
  Effect.gen(function* () {
    const normalised = shaken(batchNorm("bn", WIDTH))
    const [whole, inParts] = [yield* trained(normalised, 1), yield* trained(normalised, 2)]
    const name = "bn.running_mean"
    // Three times a tenth of the way, and six times.
    const moved = (state: typeof whole.state, share: number) =>
      Array.from(state[name].data, (value) => value / share)
    const shares = [1 - 0.9 ** 3, 1 - 0.9 ** 6]
    const [a, b] = [moved(whole.state, shares[0]), moved(inParts.state, shares[1])]
    a.forEach((value, i) => {
      assert.closeTo(b[i], value, 0.1 * Math.max(...a.map(Math.abs)))
    })
  })
)
