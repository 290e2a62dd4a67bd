/**
 * Augmentation beside torchvision's over Pillow, in turn in one run, so that a noisy machine disturbs both alike:
 *
 *   node bench/augment.mjs FILE.bin [PYTHON] [rounds]
 *
 * FILE.bin holds records of CIFAR-10's binary format; PYTHON is an interpreter that has `torchvision` (without one,
 * only ours is measured). Run `npm run build` before. Prints, each the best of a few times in a round:
 * - images per second of three pipelines on one thread: batches as uint8, as they go to the device, and normalised to
 *   float32, as torchvision's are;
 * - images per second of one and of two worker threads, and what two threads gain over one that have nothing in
 *   common, as others may use the machine;
 * - microseconds of each operation.
 */
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { makeAugmenter, makeCanvas, normalize, operate } from "../dist/Augment.js"

const [file, python, rounds = "5"] = process.argv.slice(2)
if (file === undefined) {
  console.error("usage: node bench/augment.mjs FILE.bin [PYTHON] [rounds]")
  process.exit(1)
}

const BATCH = 125
const IMAGES = 2000
const MEAN = [0.4914, 0.4822, 0.4465]
const STD = [0.247, 0.2435, 0.2616]
const MAGNITUDES = {
  ShearX: 0.15,
  ShearY: 0.15,
  TranslateX: 7,
  TranslateY: 7,
  Rotate: 15,
  Brightness: 0.45,
  Color: 0.45,
  Contrast: 0.45,
  Sharpness: 0.45,
  Posterize: 6,
  Solarize: 128,
  AutoContrast: 0,
  Equalize: 0,
  Invert: 0
}
const BLACK = [0, 0, 0]
const cropFlip = [
  { _tag: "RandomCrop", padding: 4, mode: "reflect" },
  { _tag: "RandomHorizontalFlip", p: 0.5 }
]
const pipelines = {
  full: [
    ...cropFlip,
    { _tag: "AutoAugment", policy: "cifar10", fill: BLACK },
    { _tag: "Cutout", length: 16, holes: 1 }
  ],
  randaugment: [...cropFlip, { _tag: "RandAugment", n: 2, m: 9, bins: 31, fill: BLACK }],
  basic: cropFlip
}

/** The first images of the file, as a training split that repeats them so that an epoch takes long enough. */
const load = (repeats) => {
  const records = readFileSync(file)
  const pixels = new Uint8Array(new SharedArrayBuffer(IMAGES * 3072))
  for (let image = 0; image < IMAGES; image++)
    for (let i = 0; i < 1024; i++)
      for (let channel = 0; channel < 3; channel++)
        pixels[image * 3072 + i * 3 + channel] = records[image * 3073 + 1 + channel * 1024 + i]
  return {
    mean: MEAN,
    train: {
      images: { pixels, count: IMAGES, height: 32, width: 32 },
      labels: new Uint16Array(IMAGES),
      indices: Uint32Array.from({ length: IMAGES * repeats }, (_, i) => i % IMAGES)
    }
  }
}

/**
 * Images per second with each number of workers: the best of some epochs, in turn, by augmenters that are ready.
 * `use` is called with each batch.
 */
const speeds = (repeats, epochs, pipeline, workers, use) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const dataset = load(repeats)
      const augmenters = []
      for (const count of workers) {
        augmenters.push(
          yield* makeAugmenter(dataset, { batchSize: BATCH, pipeline, seed: 1, workers: count })
        )
      }
      const best = workers.map(() => 0)
      // The first epoch is for the compiler.
      for (let epoch = 0; epoch <= epochs; epoch++)
        for (let i = 0; i < workers.length; i++) {
          const start = performance.now()
          const batches = augmenters[i].epoch({ epoch, from: 0 })
          yield* Stream.runForEach(batches, (batch) => Effect.sync(() => use(batch)))
          const speed = (1000 * repeats * IMAGES) / (performance.now() - start)
          if (epoch > 0) best[i] = Math.max(best[i], speed)
        }
      return best
    }).pipe(Effect.scoped)
  )

/** How often `count` threads together do an operation on an image of their own in 0.5 s, with nothing in common. */
const alone = async (count) => {
  const code = `
    const { parentPort, workerData } = require("node:worker_threads")
    import(workerData).then(({ makeCanvas, operate }) => {
      const canvas = makeCanvas(32, 32)
      canvas.pixels.forEach((_, i) => { canvas.pixels[i] = i * i })
      const run = (milliseconds) => {
        const end = performance.now() + milliseconds
        let rounds = 0
        for (; performance.now() < end; rounds++) operate(canvas, "Equalize", 0, [0, 0, 0])
        return rounds
      }
      run(200)
      parentPort.once("message", () => parentPort.postMessage(run(500)))
      parentPort.postMessage("ready")
    })`
  const workerData = new URL("../dist/Augment.js", import.meta.url).href
  const threads = Array.from({ length: count }, () => new Worker(code, { eval: true, workerData }))
  await Promise.all(threads.map((thread) => once(thread, "message")))
  const answers = threads.map((thread) => once(thread, "message"))
  for (const thread of threads) thread.postMessage("go")
  const rounds = (await Promise.all(answers)).flat()
  await Promise.all(threads.map((thread) => thread.terminate()))
  return rounds.reduce((a, b) => a + b)
}

const normalised = new Float32Array(BATCH * 3072)
const asUint8 = () => {}
const asFloat32 = ({ images }) => normalize(images, MEAN, STD, normalised)

const microseconds = (operation, magnitude) => {
  const { images } = load(1).train
  const canvas = makeCanvas(32, 32)
  let best = Infinity
  for (let repeat = 0; repeat < 5; repeat++) {
    let total = 0
    for (let image = 0; image < IMAGES; image++) {
      canvas.pixels.set(images.pixels.subarray(image * 3072, (image + 1) * 3072))
      const start = performance.now()
      operate(canvas, operation, magnitude, BLACK)
      total += performance.now() - start
    }
    best = Math.min(best, total)
  }
  return (1000 * best) / IMAGES
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const show = (values, digits = 0) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`
const theirs = () =>
  python === undefined
    ? undefined
    : JSON.parse(
        execFileSync(python, [fileURLToPath(new URL("torchvision_augment.py", import.meta.url)), file], {
          encoding: "utf8"
        })
      )

const rows = []
for (let round = 0; round < Number(rounds); round++) {
  const row = { peer: theirs(), uint8: {}, float32: {} }
  for (const [name, pipeline] of Object.entries(pipelines)) {
    row.uint8[name] = (await speeds(10, 3, pipeline, [0], asUint8))[0]
    row.float32[name] = (await speeds(10, 3, pipeline, [0], asFloat32))[0]
  }
  const [one, two] = await speeds(20, 6, pipelines.full, [1, 2], asUint8)
  const [aloneOne, aloneTwo] = [await alone(1), await alone(2)]
  Object.assign(row, { one, two, machine: aloneTwo / aloneOne })
  row.microseconds = Object.fromEntries(
    Object.entries(MAGNITUDES).map(([operation, magnitude]) => [
      operation,
      microseconds(operation, magnitude)
    ])
  )
  rows.push(row)
}

console.log(`median of ${rounds} rounds (least to greatest)`)
for (const name of Object.keys(pipelines)) {
  for (const kind of ["uint8", "float32"]) {
    console.log(`${name} ${kind}: ${show(rows.map((row) => row[kind][name]))} images/s`)
    if (python !== undefined) {
      const ratios = rows.map((row) => row[kind][name] / row.peer.imagesPerSecond[name])
      console.log(
        `  torchvision's ${show(rows.map((row) => row.peer.imagesPerSecond[name]))}, ratio ${show(ratios, 1)}`
      )
    }
  }
}
console.log(`full, one worker: ${show(rows.map(({ one }) => one))} images/s`)
console.log(`full, two workers: ${show(rows.map(({ two }) => two))} images/s`)
const gains = (pick) => show(rows.map(pick), 2)
console.log(
  `  two to one: ${gains(({ one, two }) => two / one)}; of threads with nothing in common: ${gains(({ machine }) => machine)}`
)
for (const operation of Object.keys(MAGNITUDES)) {
  const ours = show(
    rows.map((row) => row.microseconds[operation]),
    2
  )
  const peer =
    python === undefined
      ? ""
      : `  Pillow ${show(
          rows.map((row) => row.peer.microseconds[operation]),
          1
        )}`
  console.log(`${operation}: ${ours} µs an image${peer}`)
}
