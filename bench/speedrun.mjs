/**
 * Test accuracy over training time: a run of ours, and airbench's own recipe in PyTorch.
 *
 *   npx shakedrop train --recipe speedrun --dataset folder --data-dir DIR --set train.keep=100 --out RUN
 *   PYTHON bench/peers/torch_airbench.py DIR > PEER.jsonl
 *   node bench/speedrun.mjs RUN PEER.jsonl OUT.png
 *
 * RUN has kept the checkpoint of each epoch. All that is measured here is for the picture; nothing is chosen by it.
 * Prints a row of a Markdown table for each epoch.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { Dataset } from "../dist/Data.js"
import { Device } from "../dist/Device.js"
import { fromPyTorch } from "../dist/Model/Weights/PyTorchLayout.js"
import { decode } from "../dist/Tensor/Safetensors.js"
import { labelsOf, predict, predictViews } from "../dist/Train/Evaluate/Logits.js"
import { viewsOf } from "../dist/Train/Evaluate/View.js"
import { imagesOf, networkFor } from "../dist/Train/Start/Network.js"
import { evaluationEntry } from "../dist/Train/Step/EntryPoints.js"
import { measure, openRun } from "../dist/Train.js"

const [run, peer, out] = process.argv.slice(2)
if (out === undefined) {
  console.error("usage: node bench/speedrun.mjs RUN PEER.jsonl OUT.png")
  process.exit(1)
}

const lines = (file) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))

/** Seconds of training and test accuracy after each epoch of our run. */
const ours = Effect.gen(function* () {
  const { dataset: description, experiment } = yield* openRun(run).config
  const network = yield* networkFor(experiment, description)
  const device = yield* Device
  const { test } = yield* Dataset
  const images = imagesOf(experiment, description)
  const program = yield* device.compile(
    network.init(experiment.seed),
    { evaluate: evaluationEntry(network, images) },
    { precision: experiment.train.precision }
  )
  const batches = { batchSize: images.batchSize, classes: network.classes }
  const classify = (images) => Effect.map(program.run("evaluate", { images }), ({ logits }) => logits)
  const accuracyOf = ({ data }) => measure(data, labelsOf(test), network.classes).accuracy
  const folder = path.join(run, "checkpoints")
  const points = []
  let seconds = 0
  for (const line of lines(path.join(run, "metrics.jsonl"))) {
    seconds += line.seconds
    const name = `step-${String(line.step).padStart(7, "0")}.safetensors`
    if (!readdirSync(folder).includes(name)) continue
    const tensors = fromPyTorch(network, decode(readFileSync(path.join(folder, name))).tensors)
    yield* program.write(Object.fromEntries(network.tensors.map(({ name }) => [name, tensors[name]])))
    const plain = accuracyOf(yield* predict(test, batches, classify))
    const views = viewsOf("airbench", images)
    points.push({
      epoch: line.epoch,
      seconds,
      plain,
      views: accuracyOf(yield* predictViews(test, views, batches, classify))
    })
  }
  return points
}).pipe(Effect.scoped, Effect.provide(Device.layer("cpu")))

const { experiment } = await Effect.runPromise(openRun(run).config)
const points = await Effect.runPromise(Effect.provide(ours, Dataset.layer(experiment.data)))
const all = lines(peer)
const peers = all.filter(({ epoch }) => epoch !== undefined)
const end = all.find(({ views }) => views !== undefined)

const WIDTH = 760
const HEIGHT = 380
const [LEFT, RIGHT, TOP, BOTTOM] = [56, WIDTH - 24, 56, HEIGHT - 48]
const LOW = 0.6
const most = Math.max(...points.map(({ seconds }) => seconds), ...peers.map(({ seconds }) => seconds))
const minutes = Math.ceil(most / 60)
const x = (seconds) => LEFT + ((RIGHT - LEFT) * seconds) / (60 * minutes)
const y = (accuracy) => BOTTOM - ((BOTTOM - TOP) * (Math.max(LOW, accuracy) - LOW)) / (0.94 - LOW)

const curve = (values, colour, dashes = "") => {
  const shown = values.filter(({ accuracy }) => accuracy >= LOW)
  const place = ({ accuracy, seconds }) => `${x(seconds).toFixed(1)},${y(accuracy).toFixed(1)}`
  const dots = shown.map(
    (value) => `<circle cx="${x(value.seconds)}" cy="${y(value.accuracy)}" r="3.5" fill="${colour}"/>`
  )
  return `<polyline points="${shown.map(place).join(" ")}" fill="none" stroke="${colour}" stroke-width="2" ${dashes}/>${dots.join("")}`
}
const of = (values, key) => values.map((value) => ({ seconds: value.seconds, accuracy: value[key] }))
const ticks = [0.6, 0.7, 0.8, 0.85, 0.9].map(
  (tick) =>
    `<path d="M${LEFT} ${y(tick)}H${RIGHT}" stroke="${tick === 0.9 ? "#1b1b19" : "#e3e2de"}"/><text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${Math.round(100 * tick)} %</text>`
)
const every = minutes > 16 ? 4 : 2
const foot = Array.from({ length: Math.floor(minutes / every) + 1 }, (_, i) => every * i).map(
  (minute) => `<text x="${x(60 * minute)}" y="${BOTTOM + 20}" text-anchor="middle">${minute} min</text>`
)
const [blue, orange] = ["#2a78d6", "#e0602a"]
const legend = [
  [blue, "ours, six views"],
  ["#7ab0ec", "ours, the image alone"],
  [orange, "airbench's recipe in PyTorch, the image alone (ring: six views)"]
].map(
  ([colour, name], i) =>
    `<circle cx="${LEFT + 10 + [0, 130, 290][i]}" cy="40" r="4.5" fill="${colour}"/><text x="${LEFT + 20 + [0, 130, 290][i]}" y="44">${name}</text>`
)
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#1b1b19">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="22" font-size="15" font-weight="bold">Test accuracy over training time, two CPU cores</text>
${legend.join("")}${ticks.join("")}${foot.join("")}
${curve(of(peers, "plain"), orange)}${curve(of(points, "plain"), "#7ab0ec", 'stroke-dasharray="5 4"')}${curve(of(points, "views"), blue)}
<circle cx="${x(end.seconds)}" cy="${y(end.views)}" r="5" fill="none" stroke="${orange}" stroke-width="2"/>
</svg>`
await sharp(Buffer.from(svg), { density: 144 }).png().toFile(out)

const percent = (share) => (100 * share).toFixed(2)
console.log("| | epoch | seconds | the image alone, % | six views, % |\n|---|---|---|---|---|")
for (const { epoch, plain, seconds, views } of points)
  console.log(`| ours | ${epoch} | ${Math.round(seconds)} | ${percent(plain)} | ${percent(views)} |`)
for (const { epoch, plain, seconds } of peers)
  console.log(
    `| PyTorch | ${epoch} | ${Math.round(seconds)} | ${percent(plain)} | ${epoch === peers.length ? percent(end.views) : ""} |`
  )
