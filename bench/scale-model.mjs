/**
 * What sharing a training would bring, on paper: step time and efficiency of PyramidNet-272 α200 on several GPUs, from the
 * network's own numbers, published speeds of links, and the time of a ring all-reduce. Prints a table.
 *   node bench/scale-model.mjs [TFLOP/s that convolutions reach, 40 unless given]
 */
import { makeNetwork } from "../dist/Model.js"

const speed = Number(process.argv[2] ?? 40) * 1e12
const BATCH = 64
const BUCKET = 4 * 2 ** 20
/** Bytes a second in each direction, and seconds until a message arrives. */
const LINKS = {
  "10 GbE": { bandwidth: 1.25e9, latency: 30e-6 },
  "100 GbE": { bandwidth: 12.5e9, latency: 10e-6 },
  "NVLink 4": { bandwidth: 450e9, latency: 3e-6 },
  // 128 MiB in 410 ms between two processes: 2·(2 − 1)/2 of the bytes are sent by each.
  "gRPC on loopback, measured": { bandwidth: (128 * 2 ** 20) / 0.41, latency: 1e-3 }
}

const model = { _tag: "PyramidNet", block: "bottleneck", depth: 272, alpha: 200 }
const network = makeNetwork(model, { classes: 10, size: { height: 32, width: 32 } })
// A multiply-add is two operations; forwards once, backwards twice.
const computing = (2 * 3 * network.multiplyAdds * BATCH) / speed
const backward = (2 / 3) * computing
const gradient = 4 * network.parameters

/** A ring all-reduce: each sends 2(n − 1)/n of the bytes, in 2(n − 1) messages. */
const reduce = (bytes, n, { bandwidth, latency }) =>
  (2 * (n - 1) * bytes) / (n * bandwidth) + 2 * (n - 1) * latency

/** Buckets go out while the backward pass computes; the last one, and what does not fit, come after it. */
const bucketed = (bytes, n, link) => {
  const count = Math.ceil(bytes / BUCKET)
  const each = reduce(bytes / count, n, link)
  return computing + Math.max(each, count * each - backward * (1 - 1 / count))
}

const rows = [["link", "GPUs", "at the end", "in buckets", "in buckets, bfloat16"]]
for (const [name, link] of Object.entries(LINKS)) {
  for (const n of [2, 8, 64]) {
    const steps = [
      computing + reduce(gradient, n, link),
      bucketed(gradient, n, link),
      bucketed(gradient / 2, n, link)
    ]
    const shown = steps.map(
      (step) => `${(1000 * step).toFixed(0)} ms, ${((100 * computing) / step).toFixed(0)} %`
    )
    rows.push([name, String(n), ...shown])
  }
}

console.log(
  `${network.name}: ${(gradient / 1e6).toFixed(0)} MB of gradients; ${(1000 * computing).toFixed(0)} ms of computing for ${BATCH} images a GPU at ${speed / 1e12} TFLOP/s`
)
const line = (cells) => `| ${cells.join(" | ")} |`
console.log([line(rows[0]), line(rows[0].map(() => "---")), ...rows.slice(1).map(line)].join("\n"))
