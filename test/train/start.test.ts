import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { shapes } from "../../src/Data/Shapes.ts"
import { channelStatistics } from "../../src/Data/Statistics.ts"
import type { LoadedDataset } from "../../src/Data.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { makeNetwork } from "../../src/Model.ts"
import type { HostTensor } from "../../src/Tensor/HostTensor.ts"
import { checkImages } from "../../src/Train/Start/Images.ts"
import { initialWeights } from "../../src/Train/Start/Network.ts"
import { heardTexts } from "../support/Events.ts"

const { classes, test, train } = shapes({ train: 30, test: 10 })
const dataset: LoadedDataset = {
  name: "shapes",
  classes,
  train: { ...train, indices: Uint32Array.of(7, 3, 20, 5) },
  validation: { ...train, indices: Uint32Array.of() },
  test: { ...test, indices: Uint32Array.from(test.labels.keys()) },
  ...channelStatistics(train.images),
  fingerprint: "shapes"
}

it("weights that depend on images are computed from training images, normalised and drawn by the seed", () => {
  const size = { height: 32, width: 32 }
  const network = makeNetwork({ _tag: "SimpleCnn", width: 2 }, { classes: 10, size })
  const given: Array<HostTensor<"float32">> = []
  const replaced = {
    ...network,
    dataInit: {
      images: 3,
      values: (images: HostTensor<"float32">) => {
        given.push(images)
        return { "fc.bias": { ...network.init(2)["fc.bias"] } }
      }
    }
  }
  const weights = initialWeights(replaced, 1, dataset)
  assert.deepStrictEqual(weights["fc.bias"], network.init(2)["fc.bias"])
  assert.deepStrictEqual(weights["fc.weight"], network.init(1)["fc.weight"])
  for (const seed of [1, 2, 3]) initialWeights(replaced, seed, dataset)
  const [first, again, ...others] = given
  assert.deepStrictEqual(first.shape, [3, 32, 32, 3])
  assert.deepStrictEqual(again, first)
  assert.isTrue(others.some(({ data }) => data.some((value, i) => value !== first.data[i])))
  const { mean, std, train } = dataset
  const whole = Array.from(train.indices, (image) =>
    Float32Array.from(train.images.pixels.subarray(image * 3072, (image + 1) * 3072), (value, i) => {
      return (value / 255 - mean[i % 3]) / std[i % 3]
    })
  )
  const found = [0, 1, 2].map((i) => {
    const own = first.data.subarray(i * 3072, (i + 1) * 3072)
    return whole.findIndex((image) => image.every((value, k) => Math.abs(value - own[k]) < 1e-5))
  })
  assert.notInclude(found, -1)
  assert.strictEqual(new Set(found).size, 3)
})

it("a network without such weights starts from its seed alone", () => {
  const network = makeNetwork(
    { _tag: "SimpleCnn", width: 2 },
    { classes: 10, size: { height: 32, width: 32 } }
  )
  assert.deepStrictEqual(initialWeights(network, 4, dataset), network.init(4))
})

it.effect("a training says what its batches leave out, where it is much, and needs test images", () =>
  Effect.gen(function* () {
    const of = (batchSize: number) =>
      decodeExperiment({
        ...{
          name: "start",
          data: { dataset: "shapes" },
          augment: [],
          model: { _tag: "SimpleCnn", width: 1 }
        },
        train: { epochs: 1, batchSize, learningRate: 0.1, schedule: { _tag: "Cosine" } }
      })
    const told: Array<string> = []
    const check = (batchSize: number, data: LoadedDataset) =>
      Effect.flatMap(of(batchSize), (experiment) => checkImages(experiment, data)).pipe(
        heardTexts((text) => told.push(text))
      )
    const whole = { ...dataset, train: { ...train, indices: Uint32Array.from(train.labels.keys()) } }
    for (const batchSize of [1, 15, 30]) yield* check(batchSize, whole)
    assert.deepStrictEqual(told, [])
    yield* check(8, whole)
    assert.deepStrictEqual(told, [
      "each epoch leaves out 6 of 30 training images (20.00 %), other ones each time: they do not fill a batch of 8"
    ])
    assert.match((yield* Effect.flip(check(31, whole))).message, /has only 30 training images/)
    const untested = { ...whole, test: { ...test, indices: Uint32Array.of() } }
    assert.match((yield* Effect.flip(check(8, untested))).message, /has no test images/)
  })
)
