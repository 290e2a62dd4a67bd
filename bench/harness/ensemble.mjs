/**
 * One answer from what five members said of 10,000 images and kept in files, and its accuracy, in a process of its
 * own: `node bench/harness/ensemble.mjs FOLDER`.
 */
import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { accuracyOf, combine } from "../../dist/Ensemble/Combine.js"
import { draws } from "../../dist/Random.js"
import { float32 } from "../../dist/Tensor/HostTensor.js"
import { decode, encode } from "../../dist/Tensor/Safetensors.js"
import { peakMiB } from "./timing.mjs"

const [MEMBERS, IMAGES, CLASSES] = [5, 10_000, 10]

const [folder] = process.argv.slice(2)
const labels = Uint16Array.from({ length: IMAGES }, (_, i) => i % CLASSES)
const files = Array.from({ length: MEMBERS }, (_, member) => {
  const random = draws(member, "bench/ensemble")
  const logits = Float32Array.from({ length: IMAGES * CLASSES }, () => random.normal())
  const file = path.join(folder, `${member}.safetensors`)
  writeFileSync(file, Buffer.concat([...encode({ logits: float32([IMAGES, CLASSES], logits) })]))
  return file
})

const evaluate = () => {
  const outputs = files.map((file) => ({
    images: IMAGES,
    classes: CLASSES,
    values: decode(readFileSync(file)).tensors.logits.data
  }))
  const scores = combine(
    "MeanProbabilities",
    outputs,
    outputs.map(() => 1)
  )
  return accuracyOf(scores, labels)
}

// As the command does it: once, in a process that has not compiled it yet.
const start = performance.now()
evaluate()
console.log(JSON.stringify({ seconds: { evaluate: (performance.now() - start) / 1000 }, peakMiB: peakMiB() }))
