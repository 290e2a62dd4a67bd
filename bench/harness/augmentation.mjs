/** Our augmentation pipelines and operations, timed. */
import * as Effect from "effect/Effect"
import { makeAugmenter, normalize } from "../../dist/Augment.js"
import { shapes } from "../../dist/Data/Shapes.js"

const BATCH = 125
export const IMAGES = 2000
const MEAN = [0.4914, 0.4822, 0.4465]
const STD = [0.247, 0.2435, 0.2616]
export const BLACK = [0, 0, 0]
const cropFlip = [
  { _tag: "RandomCrop", padding: 4, mode: "reflect" },
  { _tag: "RandomHorizontalFlip", p: 0.5 }
]

/** By the names that bench/peers/torchvision_augment.py knows them by. */
export const pipelines = {
  full: [
    ...cropFlip,
    { _tag: "AutoAugment", policy: "cifar10", fill: BLACK },
    { _tag: "Cutout", length: 16, holes: 1 }
  ],
  randaugment: [...cropFlip, { _tag: "RandAugment", n: 2, m: 9, bins: 31, fill: BLACK }],
  basic: cropFlip
}

const inSharedMemory = (pixels) => {
  const shared = new Uint8Array(new SharedArrayBuffer(pixels.length))
  shared.set(pixels)
  return shared
}

/** Pixels [N,32,32,3] of records of CIFAR-10's binary format: a label, then three planes. */
export const fromRecords = (records) => {
  const pixels = new Uint8Array(IMAGES * 3072)
  for (let image = 0; image < IMAGES; image++)
    for (let i = 0; i < 1024; i++)
      for (let channel = 0; channel < 3; channel++)
        pixels[image * 3072 + i * 3 + channel] = records[image * 3073 + 1 + channel * 1024 + i]
  return pixels
}

/** The records of pixels, with labels of zero. */
export const toRecords = (pixels) => {
  const records = new Uint8Array(IMAGES * 3073)
  for (let image = 0; image < IMAGES; image++)
    for (let i = 0; i < 1024; i++)
      for (let channel = 0; channel < 3; channel++)
        records[image * 3073 + 1 + channel * 1024 + i] = pixels[image * 3072 + i * 3 + channel]
  return records
}

/** Pixels of images of the data set that is drawn in code. */
export const drawnPixels = () => shapes({ train: IMAGES, test: 10 }).train.images.pixels

/** The images as a training split that repeats them, so that an epoch takes long enough. */
const repeated = (pixels, repeats) => ({
  mean: MEAN,
  train: {
    images: { pixels: inSharedMemory(pixels), count: IMAGES, height: 32, width: 32 },
    labels: new Uint16Array(IMAGES),
    indices: Uint32Array.from({ length: IMAGES * repeats }, (_, i) => i % IMAGES)
  }
})

const normalised = new Float32Array(BATCH * 3072)

/** What is done with a batch: nothing more, or what torchvision does too. */
export const asUint8 = () => {}
export const asFloat32 = ({ images }) => normalize(images, MEAN, STD, normalised)

/** A function from the number of an epoch to an Effect that makes it; `use` is called with each batch. */
export const makePass = Effect.fnUntraced(function* (pixels, { pipeline, repeats, use, workers }) {
  const dataset = repeated(pixels, repeats)
  const augmenter = yield* makeAugmenter(dataset, { batchSize: BATCH, pipeline, seed: 1, workers })
  return (epoch) => augmenter.run({ epoch, from: 0 }, (batch) => Effect.sync(() => use(batch)))
})

/** Images per second with each number of workers: the best of some epochs, in turn, by augmenters that are ready. */
export const speeds = (pixels, { epochs, workers, ...options }) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const passes = []
      for (const count of workers) passes.push(yield* makePass(pixels, { ...options, workers: count }))
      const best = workers.map(() => 0)
      // The first epoch is for the compiler.
      for (let epoch = 0; epoch <= epochs; epoch++)
        for (let i = 0; i < workers.length; i++) {
          const start = performance.now()
          yield* passes[i](epoch)
          const speed = (1000 * options.repeats * IMAGES) / (performance.now() - start)
          if (epoch > 0) best[i] = Math.max(best[i], speed)
        }
      return best
    }).pipe(Effect.scoped)
  )
