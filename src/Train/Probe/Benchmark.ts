/** Short measurements of a device: the operation that training spends its time in, and a whole step. */
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../Device.ts"
import { makeNetwork } from "../../Model.ts"
import { conv2d } from "../../Ops/Convolution.ts"
import { halfSquaredNorm } from "../../Ops/Loss.ts"
import { float32, int32, scalar, uint8 } from "../../Tensor/HostTensor.ts"
import { seedState, trainingEntry } from "../Step/EntryPoints.ts"
import { initialState, PLAIN_STEP } from "../Step/Step.ts"

const BATCH = 64
const SIDE = 32
const REPEATS = 10

/** Milliseconds of the fastest of several runs, after one that is not counted. */
const fastest = <E, R>(run: Effect.Effect<unknown, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    yield* run
    let best = Infinity
    for (let i = 0; i < REPEATS; i++) {
      const start = performance.now()
      yield* run
      best = Math.min(best, performance.now() - start)
    }
    return best
  })

/** A 3×3 convolution of 64 images of 32×32 from 64 to 64 channels. */
export const timeConvolution = Effect.gen(function* () {
  const channels = 64
  const device = yield* Device
  const shape = [BATCH, SIDE, SIDE, channels]
  const program = yield* device.compile(
    { x: float32(shape), kernel: float32([3, 3, channels, channels]) },
    {
      convolve: entryPoint({
        inputs: {},
        run: ({ kernel, x }) => ({
          output: { norm: halfSquaredNorm(conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 1)) }
        })
      })
    }
  )
  const milliseconds = yield* fastest(program.run("convolve", {}))
  const operations = 2 * BATCH * SIDE * SIDE * 9 * channels * channels
  return { milliseconds, gigaflops: operations / milliseconds / 1e6 }
})

/** A training step of a small network on 64 images of 32×32. */
export const timeTrainingStep = Effect.gen(function* () {
  const device = yield* Device
  const size = { height: SIDE, width: SIDE }
  const images = { batchSize: BATCH, size, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const
  const network = makeNetwork({ _tag: "WideResNet", depth: 16, widenFactor: 1 }, { classes: 10, size })
  const program = yield* device.compile(
    { ...initialState(network, network.init(1), PLAIN_STEP), ...seedState(1) },
    {
      train: trainingEntry(network, images, PLAIN_STEP)
    }
  )
  const labels = int32([BATCH])
  const milliseconds = yield* fastest(
    program.run("train", {
      images: uint8([BATCH, SIDE, SIDE, 3]),
      labelsA: labels,
      labelsB: labels,
      lambda: float32([BATCH], new Float32Array(BATCH).fill(1)),
      learningRate: scalar(0),
      step: int32([])
    })
  )
  return { model: network.name, milliseconds, imagesPerSecond: (1000 * BATCH) / milliseconds }
})
