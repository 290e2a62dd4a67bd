/**
 * How the cost of a training step of PyramidNets with bottlenecks grows with the batch, the depth and the size of the
 * images, and how long a graph takes to be ready by its number of operations.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { machine, versions } from "./harness/machine.mjs"
import { fail, readOptions } from "./harness/options.mjs"
import { measureOnce } from "./harness/resident.mjs"
import { QUICK, THOROUGH } from "./harness/rows.mjs"
import { fitPower, median } from "./harness/statistics.mjs"
import { number, table } from "./harness/tables.mjs"

const USAGE = `node bench/scaling.mjs [options]
  --rounds N   measurements of everything (3); medians count
  --out DIR    where scaling.json goes (docs)
  --quick      one round of small networks and few steps, to try it: its numbers say nothing`

const { out, quick, rounds } = readOptions(USAGE, [], 3)

const BASE = quick ? { depth: 20, batch: 2, side: 8 } : { depth: 56, batch: 16, side: 32 }
const ALPHA = 48

/** What is varied, the others staying as they are in BASE. */
const SERIES = quick
  ? { batch: [2, 4], depth: [20, 29], side: [8, 16] }
  : { batch: [8, 16, 32, 64, 128, 256], depth: [20, 29, 56, 110, 164, 272], side: [32, 64, 96] }
const TITLES = { batch: "images in a batch", depth: "layers", side: "side of the images" }

const points = Object.entries(SERIES).flatMap(([series, values]) =>
  values.map((value) => ({ series, value, measured: [] }))
)

const measureAll = async () => {
  for (let round = 0; round < rounds; round++)
    for (const { measured, series, value } of points) {
      const { batch, depth, side } = { ...BASE, [series]: value }
      const model = { _tag: "PyramidNet", block: "bottleneck", depth, alpha: ALPHA }
      const spec = { model, batch, side, mode: "train", ...(quick ? QUICK : THOROUGH) }
      const result = await measureOnce("harness/ours.mjs", JSON.stringify(spec))
      const seconds = batch / result.imagesPerSecond
      measured.push({
        seconds,
        // Above what the process had before its first step.
        mebibytes: result.peakMiB - result.compiledMiB,
        multiplyAdds: batch * result.multiplyAdds,
        operations: result.operations,
        compileSeconds: result.compileSeconds,
        // In which TensorFlow optimises the graph.
        firstRunSeconds: result.firstStepSeconds
      })
      console.error(`round ${round + 1}/${rounds}  ${series} ${value}  ${number(seconds)} s a step`)
    }
}

/** Medians over the rounds. */
const mediansOf = ({ measured, value }) => ({
  value,
  ...Object.fromEntries(
    Object.keys(measured[0]).map((key) => [key, median(measured.map((result) => result[key]))])
  )
})

const fitOf = (rows, x, y) =>
  fitPower(
    rows.map((row) => row[x]),
    rows.map((row) => row[y])
  )

const show = ({ exponent, rSquared }) => `${exponent.toFixed(2)} (R² ${rSquared.toFixed(3)})`

/** One series: its medians and the exponents of its growth. */
const grown = (series) => {
  const rows = points.filter((point) => point.series === series).map(mediansOf)
  return { rows, time: fitOf(rows, "value", "seconds"), memory: fitOf(rows, "value", "mebibytes") }
}

const seriesTable = (series, { memory, rows, time }) =>
  table(
    [TITLES[series], "multiply-adds of a forward pass, G", "seconds a step", "peak MiB"],
    [
      ...rows.map(({ mebibytes, multiplyAdds, seconds, value }) => [
        value,
        number(multiplyAdds / 1e9),
        number(seconds),
        number(mebibytes)
      ]),
      ["exponent", "", show(time), show(memory)]
    ]
  )

const compileTable = ({ compile, firstRun, rows }) =>
  table(
    ["layers", "operations", "traced and compiled, s", "first run, s"],
    [
      ...rows.map(({ compileSeconds, firstRunSeconds, operations, value }) => [
        value,
        operations,
        number(compileSeconds),
        number(firstRunSeconds)
      ]),
      ["exponent", "", show(compile), show(firstRun)]
    ]
  )

await measureAll().catch((error) => fail(error.message))
const series = Object.fromEntries(Object.keys(SERIES).map((name) => [name, grown(name)]))
const { rows } = series.depth
const compilation = {
  rows,
  compile: fitOf(rows, "operations", "compileSeconds"),
  firstRun: fitOf(rows, "operations", "firstRunSeconds")
}
mkdirSync(out, { recursive: true })
const file = path.join(out, "scaling.json")
const results = {
  machine: machine(),
  versions: versions(),
  rounds,
  base: BASE,
  alpha: ALPHA,
  series,
  compilation
}
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
const parts = Object.entries(series).map(([name, result]) => seriesTable(name, result))
console.log([...parts, compileTable(compilation), file].join("\n\n"))
