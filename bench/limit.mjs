/**
 * How near the networks come to what the machine can compute: GFLOP/s of training and evaluation beside those of a large
 * matrix product and of the best of a few 3×3 convolutions through the same library, in the same run; and the share of
 * the time in which convolutions and products run at all. For what is left of the time, how fast memory is.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { measureInNode } from "./harness/child.mjs"
import { machine, versions } from "./harness/machine.mjs"
import { fail, readOptions } from "./harness/options.mjs"
import { measureOnce } from "./harness/resident.mjs"
import { networkRows, QUICK, THOROUGH } from "./harness/rows.mjs"
import { median, spread } from "./harness/statistics.mjs"
import { number, table } from "./harness/tables.mjs"

const USAGE = `node bench/limit.mjs [options]
  --rounds N   measurements of everything (3)
  --rows A,B   only these (${networkRows.map(({ id }) => id)})
  --out DIR    where limit.json goes (docs)
  --quick      one round of small batches and few steps, to try it: its numbers say nothing`

const options = readOptions(USAGE, ["rows"], 3)
const { out, quick, rounds } = options
const wanted = options.rows?.split(",")
const rows = networkRows.filter(({ id }) => wanted === undefined || wanted.includes(id))
if (rows.length === 0) fail(`there are no such rows\n${USAGE}`)

/** Training computes the forward pass, and as much again for each of the gradients of inputs and of weights. */
const PASSES = { train: 3, evaluate: 1 }

const peaks = []
const measured = Object.fromEntries(rows.map(({ id }) => [id, { gflops: [], convolving: [] }]))

const measureAll = async () => {
  for (let round = 0; round < rounds; round++) {
    peaks.push(await measureInNode("harness/peak.mjs", String(quick)))
    for (const { id, spec } of rows) {
      const given = { ...spec, batch: quick ? 2 : spec.batch, ...(quick ? QUICK : THOROUGH) }
      const { imagesPerSecond, multiplyAdds } = await measureOnce("harness/ours.mjs", JSON.stringify(given))
      const gflops = (2 * PASSES[spec.mode] * multiplyAdds * imagesPerSecond) / 1e9
      measured[id].gflops.push(gflops)
      measured[id].convolving.push(await measureInNode("harness/convolving.mjs", JSON.stringify(given)))
      console.error(`round ${round + 1}/${rounds}  ${id}  ${number(gflops)} GFLOP/s`)
    }
  }
}

await measureAll().catch((error) => fail(error.message))
const workloads = peaks[0].map(({ name, unit }, i) => ({
  name,
  unit,
  speed: spread(peaks.map((peak) => peak[i].speed))
}))
const [product, ...convolutions] = workloads.filter(({ unit }) => unit === "GFLOP/s")
const best = convolutions.reduce((a, b) => (b.speed.median > a.speed.median ? b : a))
const shareOf = (gflops, peak) => median(gflops) / peak.speed.median
const networks = rows.map(({ id, title }) => ({
  id,
  title,
  gflops: spread(measured[id].gflops),
  ofProduct: shareOf(measured[id].gflops, product),
  ofConvolution: shareOf(measured[id].gflops, best),
  convolving: spread(measured[id].convolving)
}))

mkdirSync(out, { recursive: true })
const file = path.join(out, "limit.json")
const results = { machine: machine(), versions: versions(), rounds, workloads, networks }
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)

const show = ({ median, range }) => `${number(median)} (${range.map(number).join(" to ")})`
console.log(
  [
    table(
      ["what", "speed (least to greatest)"],
      workloads.map(({ name, speed, unit }) => [name, `${show(speed)} ${unit}`])
    ),
    table(
      [
        "what",
        "GFLOP/s (least to greatest)",
        "of the matrix product",
        `of the best convolution`,
        "convolving"
      ],
      networks.map(({ convolving, gflops, ofConvolution, ofProduct, title }) => [
        title,
        show(gflops),
        number(ofProduct),
        number(ofConvolution),
        number(convolving.median)
      ])
    ),
    file
  ].join("\n\n")
)
