/**
 * Training steps of the same networks beside PyTorch's, in turn in one run, so that a noisy machine disturbs
 * both alike:
 *
 *   node bench/against-torch.mjs PYTHON [rounds]
 *
 * PYTHON is an interpreter that has `torch`. Prints, for each network, the median over the rounds of our images
 * per second as a share of PyTorch's, and of our peak resident memory as a share of PyTorch's.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const [python, rounds = "3"] = process.argv.slice(2)
if (python === undefined) {
  console.error("usage: node bench/against-torch.mjs PYTHON [rounds]")
  process.exit(1)
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const rows = [
  ["PyramidNet-56 α48", "PyramidNet:56:48", "pyramidnet-56-48"],
  ["WRN-16-4", "WideResNet:16:4", "wrn-16-4"]
]
const BATCH = "64"

const run = (command, ...args) =>
  JSON.parse(execFileSync(command, args, { encoding: "utf8" }).trim().split("\n").pop())
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const show = (values, digits) =>
  `${median(values).toFixed(digits)} (${values.map((v) => v.toFixed(digits)).join(" ")})`

for (const [name, ours, theirs] of rows) {
  const speed = []
  const memory = []
  for (let round = 0; round < Number(rounds); round++) {
    const a = run(process.execPath, here("step.mjs"), ours, BATCH)
    const b = run(python, here("torch_step.py"), theirs, BATCH)
    if (a.parameters !== b.parameters)
      throw new Error(`${name}: ${a.parameters} parameters beside ${b.parameters}`)
    speed.push(a.imagesPerSecond / b.imagesPerSecond)
    memory.push(a.peakMiB / b.peakMiB)
    console.log(
      `${name}  shakedrop ${a.best.toFixed(0)} ms ${a.peakMiB.toFixed(0)} MiB  PyTorch ${b.best.toFixed(0)} ms ${b.peakMiB.toFixed(0)} MiB`
    )
  }
  console.log(`${name}  images/s ${show(speed, 2)} of PyTorch's, peak memory ${show(memory, 2)}`)
}
