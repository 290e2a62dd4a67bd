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
import { makeCanvas, operate } from "../dist/Augment.js"
import { asFloat32, asUint8, BLACK, fromRecords, IMAGES, pipelines, speeds } from "./harness/augmentation.mjs"
import { spread } from "./harness/statistics.mjs"

const [file, python, rounds = "5"] = process.argv.slice(2)
if (file === undefined) {
  console.error("usage: node bench/augment.mjs FILE.bin [PYTHON] [rounds]")
  process.exit(1)
}

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
const pixels = fromRecords(readFileSync(file))

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

const microseconds = (operation, magnitude) => {
  const canvas = makeCanvas(32, 32)
  let best = Infinity
  for (let repeat = 0; repeat < 5; repeat++) {
    let total = 0
    for (let image = 0; image < IMAGES; image++) {
      canvas.pixels.set(pixels.subarray(image * 3072, (image + 1) * 3072))
      const start = performance.now()
      operate(canvas, operation, magnitude, BLACK)
      total += performance.now() - start
    }
    best = Math.min(best, total)
  }
  return (1000 * best) / IMAGES
}

const show = (values, digits = 0) => {
  const { median, range } = spread(values)
  return `${median.toFixed(digits)} (${range.map((value) => value.toFixed(digits)).join(" to ")})`
}
const theirs = () =>
  python === undefined
    ? undefined
    : JSON.parse(
        execFileSync(
          python,
          [fileURLToPath(new URL("peers/torchvision_augment.py", import.meta.url)), "all", file],
          {
            encoding: "utf8"
          }
        )
      )

const thorough = { workers: [0], repeats: 10, epochs: 3 }
const rows = []
for (let round = 0; round < Number(rounds); round++) {
  const row = { peer: theirs(), uint8: {}, float32: {} }
  for (const [name, pipeline] of Object.entries(pipelines)) {
    row.uint8[name] = (await speeds(pixels, { ...thorough, pipeline, use: asUint8 }))[0]
    row.float32[name] = (await speeds(pixels, { ...thorough, pipeline, use: asFloat32 }))[0]
  }
  const [one, two] = await speeds(pixels, {
    pipeline: pipelines.full,
    workers: [1, 2],
    use: asUint8,
    repeats: 20,
    epochs: 6
  })
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
