/**
 * What recomputing blocks in the backward pass saves in memory and costs in time: `node bench/recompute.mjs
 * [rounds [batch]]`, on PyramidNet-110 α84. Each measurement is a process of its own, with and without in turn; prints
 * the peak resident memory in MiB, above that of the process before its first step, and the processor time of a step
 * (of all cores together, so that other processes disturb it little), the least of a few.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { compile, measureOnCpu } from "./harness/network.mjs"
import { median } from "./harness/statistics.mjs"
import { peakMiB } from "./harness/timing.mjs"

const STEPS = 4
const MODEL = { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 84 }

const measure = Effect.fnUntraced(function* (recompute, batch) {
  const { network, step } = yield* compile({ model: MODEL, batch, mode: "train", side: 32, recompute })
  const before = peakMiB()
  let best = Infinity
  for (let index = 0; index < STEPS; index++) {
    const start = process.cpuUsage()
    yield* step(index)
    const { system, user } = process.cpuUsage(start)
    best = Math.min(best, (system + user) / 1000)
  }
  return { model: network.name, best, mebibytes: peakMiB() - before }
})

const [first = "3", size = "64"] = process.argv.slice(2)
if (first === "kept" || first === "recomputed") {
  await measureOnCpu(measure(first === "recomputed", Number(size)))
} else {
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
