/**
 * Milliseconds of one training step: `node bench/step.mjs WideResNet:16:4 64`. Prints one line of JSON: the best and
 * the median step, images per second of the best, and the peak resident memory in MiB.
 */
import * as Effect from "effect/Effect"
import { Device } from "../dist/Device.js"
import { makeNetwork } from "../dist/Model.js"
import { float32, int32, scalar, uint8 } from "../dist/Tensor.js"
import { trainingEntry } from "../dist/Train/Programs.js"
import { initialState } from "../dist/Train/Step.js"

const SECONDS = 12

const models = {
  WideResNet: (depth, width) => ({ _tag: "WideResNet", depth, width }),
  PyramidNet: (depth, alpha) => ({ _tag: "PyramidNet", block: "bottleneck", depth, alpha }),
  SimpleCnn: (width) => ({ _tag: "SimpleCnn", width })
}

const [model, size] = process.argv.slice(2)
const [family, ...numbers] = model.split(":")
const batchSize = Number(size)

const measure = Effect.gen(function* () {
  const device = yield* Device
  const images = {
    batchSize,
    size: { height: 32, width: 32 },
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25]
  }
  const network = makeNetwork(models[family](...numbers.map(Number)), { classes: 10, size: images.size })
  const options = { momentum: 0.9, weightDecay: 1e-4, clipNorm: 1, labelSmoothing: 0, ema: false }
  const program = yield* device.compile(initialState(network, network.init(1), false), {
    train: trainingEntry(network, images, options, 1)
  })
  const labels = int32(
    [batchSize],
    Int32Array.from({ length: batchSize }, (_, i) => i % 10)
  )
  const step = (index) =>
    program.run("train", {
      images: uint8(
        [batchSize, 32, 32, 3],
        Uint8Array.from({ length: batchSize * 3072 }, (_, i) => (i * 2654435761) >>> 24)
      ),
      labelsA: labels,
      labelsB: labels,
      lambda: float32([batchSize], new Float32Array(batchSize).fill(1)),
      learningRate: scalar(0.1),
      averageDecay: scalar(0),
      lookaheadRate: scalar(0),
      step: int32([], Int32Array.of(index))
    })
  const first = performance.now()
  yield* step(0)
  const firstStep = performance.now() - first
  const times = []
  const start = performance.now()
  while (times.length < 3 || performance.now() - start < SECONDS * 1000) {
    const before = performance.now()
    yield* step(times.length + 1)
    times.push(performance.now() - before)
  }
  times.sort((a, b) => a - b)
  return {
    model: network.name,
    batchSize,
    parameters: network.parameters,
    firstStep,
    best: times[0],
    median: times[times.length >> 1],
    imagesPerSecond: (1000 * batchSize) / times[0],
    peakMiB: process.resourceUsage().maxRSS / 1024
  }
})

const result = await Effect.runPromise(measure.pipe(Effect.scoped, Effect.provide(Device.layer("cpu"))))
console.log(JSON.stringify(result))
