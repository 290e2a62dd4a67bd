/**
 * How near training comes to what the machine can compute: GFLOP/s of each network's step beside those of a large
 * matrix product and of the best of a few 3×3 convolutions through the same library, in the same run.
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
  --rows A,B   only these (${networkRows.map(({ id }) => id).filter((id) => id.endsWith("/train"))})
  --out DIR    where limit.json goes (docs)
  --quick      one round of small batches and few steps, to try it: its numbers say nothing`

const options = readOptions(USAGE, ["rows"], 3)
const { out, quick, rounds } = options
const wanted = options.rows?.split(",")
const rows = networkRows.filter(
  ({ id, spec }) => spec.mode === "train" && (wanted === undefined || wanted.includes(id))
)
if (rows.length === 0) fail(`there are no such rows\n${USAGE}`)

/** A step computes the forward pass, and as much again for each of the gradients of inputs and of weights. */
const PASSES = 3

const peaks = []
const measured = Object.fromEntries(rows.map(({ id }) => [id, []]))

const measureAll = async () => {
  for (let round = 0; round < rounds; round++) {
    peaks.push(await measureInNode("harness/peak.mjs", String(quick)))
    for (const { id, spec } of rows) {
      const given = { ...spec, batch: quick ? 2 : spec.batch, ...(quick ? QUICK : THOROUGH) }
      const { imagesPerSecond, multiplyAdds } = await measureOnce("harness/ours.mjs", JSON.stringify(given))
      measured[id].push((2 * PASSES * multiplyAdds * imagesPerSecond) / 1e9)
      console.error(`round ${round + 1}/${rounds}  ${id}  ${number(measured[id].at(-1))} GFLOP/s`)
    }
  }
}

await measureAll().catch((error) => fail(error.message))
const workloads = peaks[0].map(({ name }, i) => ({
  name,
  gflops: spread(peaks.map((peak) => peak[i].gflops))
}))
const [product, ...convolutions] = workloads
const best = convolutions.reduce((a, b) => (b.gflops.median > a.gflops.median ? b : a))
const shareOf = (gflops, peak) => median(gflops) / peak.gflops.median
const networks = rows.map(({ id, title }) => ({
  id,
  title,
  gflops: spread(measured[id]),
  ofProduct: shareOf(measured[id], product),
  ofConvolution: shareOf(measured[id], best)
}))

mkdirSync(out, { recursive: true })
const file = path.join(out, "limit.json")
const results = { machine: machine(), versions: versions(), rounds, workloads, networks }
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)

const show = ({ median, range }) => `${number(median)} (${range.map(number).join(" to ")})`
console.log(
  [
    table(
      ["what", "GFLOP/s (least to greatest)"],
      workloads.map(({ gflops, name }) => [name, show(gflops)])
    ),
    table(
      ["what", "GFLOP/s (least to greatest)", "of the matrix product", `of the best convolution`],
      networks.map(({ gflops, ofConvolution, ofProduct, title }) => [
        title,
        show(gflops),
        number(ofProduct),
        number(ofConvolution)
      ])
    ),
    file
  ].join("\n\n")
)
