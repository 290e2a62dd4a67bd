/** One of our pipelines on one thread, in a process of its own: `node bench/harness/augment-ours.mjs NAME FILE QUICK`. */
import { readFileSync } from "node:fs"
import { asFloat32, fromRecords, pipelines, speeds } from "./augmentation.mjs"
import { peakMiB } from "./timing.mjs"

const [name, file, quick] = process.argv.slice(2)
const [imagesPerSecond] = await speeds(fromRecords(readFileSync(file)), {
  pipeline: pipelines[name],
  workers: [0],
  use: asFloat32,
  ...(quick === "true" ? { repeats: 1, epochs: 1 } : { repeats: 10, epochs: 3 })
})
console.log(JSON.stringify({ imagesPerSecond, peakMiB: peakMiB() }))
