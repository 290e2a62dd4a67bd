import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Device } from "../../src/Device.ts"
import { batchNorm } from "../../src/Model/Layer/BatchNorm.ts"
import { pooledClassifier } from "../../src/Model/Layer/Classifier.ts"
import { network } from "../../src/Model/Network.ts"
import { draws } from "../../src/Random.ts"
import { float32, int32, scalar, type TensorRecord, uint8 } from "../../src/Tensor/HostTensor.ts"
import type { AfterEpoch } from "../../src/Train/Averages/Define.ts"
import { modelsAveraged, swa, swaOf } from "../../src/Train/Averages/Swa.ts"
import { averagingEntry, statisticsEntry } from "../../src/Train/Step/AverageEntries.ts"
import { seedState } from "../../src/Train/Step/EntryPoints.ts"
import { onCpu } from "../support/OnCpu.ts"

it("weights are taken into the mean at the start and then every few epochs", () => {
  const after = (start: number, every: number) =>
    [1, 2, 3, 4, 5, 6, 7].map((epochs) => modelsAveraged({ start, every }, epochs))
  assert.deepStrictEqual(after(3, 2), [0, 0, 1, 1, 2, 2, 3])
  assert.deepStrictEqual(after(1, 1), [1, 2, 3, 4, 5, 6, 7])
  assert.deepStrictEqual(after(7, 3), [0, 0, 0, 0, 0, 0, 1])
})

const images = {
  batchSize: 4,
  size: { height: 3, width: 2 },
  mean: [0.5, 0.4, 0.3],
  std: [0.25, 0.2, 0.3]
} as const

/** A normalisation whose running statistics move by another momentum, and a classifier. */
const small = network(
  "small",
  2,
  pooledClassifier(batchNorm("bn", 3, { momentum: 0.4, epsilon: 1e-5, trainedScale: true }), 3, 2)
)

const compiled = Effect.gen(function* () {
  const device = yield* Device
  const weights = small.init(1)
  const average = swa.make({ start: 1, every: 1 })
  return yield* device.compile(
    { ...weights, ...average.init(small, weights), ...seedState(1) },
    {
      average: averagingEntry(small, average.afterEpoch as AfterEpoch),
      statistics: statisticsEntry(small, images, average)
    }
  )
})

it.effect("the mean is that of all weights that were taken into it, whatever it was before", () =>
  Effect.gen(function* () {
    const program = yield* compiled
    yield* program.write({ [swaOf("fc.bias")]: float32([2], Float32Array.of(100, 100)) })
    const values = [
      [1, -3],
      [4, 5],
      [1, 10]
    ]
    for (const [i, value] of values.entries()) {
      yield* program.write({ "fc.bias": float32([2], Float32Array.from(value)) })
      yield* program.run("average", { share: scalar(1 / (i + 1)) })
    }
    const state: TensorRecord = yield* program.read
    assert.closeTo(state[swaOf("fc.bias")].data[0], 2, 1e-6)
    assert.closeTo(state[swaOf("fc.bias")].data[1], 4, 1e-6)
  }).pipe(onCpu)
)

it.effect("batch statistics are the means over the batches, and only those of the averaged weights", () =>
  Effect.gen(function* () {
    const program = yield* compiled
    const before: TensorRecord = yield* program.read
    const random = draws(1, "pixels")
    const batches = [1, 2, 3].map((number) =>
      Uint8Array.from({ length: 4 * 3 * 2 * 3 }, () => random.int(80 * number))
    )
    for (const [i, batch] of batches.entries()) {
      yield* program.run("statistics", {
        images: uint8([4, 3, 2, 3], batch),
        share: scalar(1 / (i + 1)),
        batch: int32([], Int32Array.of(i))
      })
    }
    const after: TensorRecord = yield* program.read
    for (let channel = 0; channel < 3; channel++) {
      let mean = 0
      let variance = 0
      for (const batch of batches) {
        const values = Array.from(batch)
          .filter((_, i) => i % 3 === channel)
          .map((value) => (value / 255 - images.mean[channel]) / images.std[channel])
        const batchMean = values.reduce((a, b) => a + b) / values.length
        mean += batchMean / 3
        variance += values.reduce((sum, value) => sum + (value - batchMean) ** 2, 0) / (values.length - 1) / 3
      }
      assert.closeTo(after[swaOf("bn.running_mean")].data[channel], mean, 1e-5)
      assert.closeTo(after[swaOf("bn.running_var")].data[channel], variance, 1e-5)
    }
    for (const name of ["bn.running_mean", "bn.running_var", swaOf("fc.weight"), swaOf("bn.weight")]) {
      assert.deepStrictEqual(after[name].data, before[name].data)
    }
  }).pipe(onCpu)
)
