/**
 * What recomputing blocks in the backward pass saves in memory and costs in time: `node bench/recompute.mjs
 * [rounds [batch]]`, on PyramidNet-110 α84. Each measurement is a process of its own, with and without in turn; prints
 * the peak resident memory in MiB, above that of the process before its first step, and the processor time of a step
 * (of all cores together, so that other processes disturb it little), the least of a few.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { Device } from "../dist/Device.js"
import { makeNetwork } from "../dist/Model.js"
import { float32, int32, scalar, uint8 } from "../dist/Tensor.js"
import { trainingEntry } from "../dist/Train/Programs.js"
import { initialState } from "../dist/Train/Step.js"

const STEPS = 4

const measure = (recompute, batchSize) =>
  Effect.gen(function* () {
    const device = yield* Device
    const images = {
      batchSize,
      size: { height: 32, width: 32 },
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25]
    }
    const model = { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 84 }
    const network = makeNetwork(model, { classes: 10, size: images.size })
    const options = { momentum: 0.9, weightDecay: 1e-4, labelSmoothing: 0, ema: false, recompute }
    const program = yield* device.compile(initialState(network, network.init(1), false), {
      train: trainingEntry(network, images, options, 1)
    })
    const labels = int32(
      [batchSize],
      Int32Array.from({ length: batchSize }, (_, i) => i % 10)
    )
    const pixels = Uint8Array.from({ length: batchSize * 3072 }, (_, i) => (i * 2654435761) >>> 24)
    const before = process.resourceUsage().maxRSS / 1024
    let best = Infinity
    for (let step = 0; step < STEPS; step++) {
      const start = process.cpuUsage()
      yield* program.run("train", {
        images: uint8([batchSize, 32, 32, 3], pixels),
        labelsA: labels,
        labelsB: labels,
        lambda: float32([batchSize], new Float32Array(batchSize).fill(1)),
        learningRate: scalar(0.1),
        averageDecay: scalar(0),
        lookaheadRate: scalar(0),
        step: int32([], Int32Array.of(step))
      })
      const { system, user } = process.cpuUsage(start)
      best = Math.min(best, (system + user) / 1000)
    }
    return { model: network.name, best, mebibytes: process.resourceUsage().maxRSS / 1024 - before }
  })

const [first = "3", size = "64"] = process.argv.slice(2)
if (first === "kept" || first === "recomputed") {
  const program = measure(first === "recomputed", Number(size))
  const result = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Device.layer("cpu"))))
  console.log(JSON.stringify(result))
} else {
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
  const run = (kind) =>
    JSON.parse(
      execFileSync(process.execPath, [fileURLToPath(import.meta.url), kind, size], { encoding: "utf8" })
    )
  const memory = []
  const time = []
  for (let round = 0; round < Number(first); round++) {
    const [kept, recomputed] = [run("kept"), run("recomputed")]
    console.log(
      `${kept.model}, batch ${size}: kept ${kept.mebibytes.toFixed(0)} MiB ${kept.best.toFixed(0)} ms, recomputed ${recomputed.mebibytes.toFixed(0)} MiB ${recomputed.best.toFixed(0)} ms`
    )
    memory.push(recomputed.mebibytes / kept.mebibytes)
    time.push(recomputed.best / kept.best)
  }
  console.log(`recomputed / kept: memory ${median(memory).toFixed(2)}, time ${median(time).toFixed(2)}`)
}
